/**
 * Sends a body of several parts as a multipart upload, a few parts at a time, while the source goes on. It knows
 * nothing of small bodies. Invariant: an upload that it knows of it has either completed or aborted when it returns, unless
 * the store or the process is away; then, and where the answer that named an upload was lost, one is listed as unfinished,
 * and nothing of it is visible.
 */
import { fault } from '../../domain/fault.ts';
import type { Part } from './s3-parts.ts';
import { type PutState, refuseExisting, settled } from './s3-put-outcome.ts';

/** Parts of one put on their way at the same time. */
const partsAtOnce = 4;

/** A part that has arrived, as the end of the upload names it. */
interface SentPart {
  readonly PartNumber: number;
  readonly ETag: string;
}

interface Upload extends PutState {
  readonly upload_id: string;
}

interface Rest {
  readonly rest: AsyncIterable<Part>;
  /** Ends the reading of the source when a part has failed. */
  readonly stop: AbortController;
}

/** Sends the first part and the rest, and returns the object's size in bytes. */
export async function putParts(state: PutState, first: Part, { rest, stop }: Rest): Promise<number> {
  const { store, place, mark, answered, signal } = state;
  const { UploadId } = await store.call(
    (options) => store.client.createMultipartUpload({ ...place, Metadata: mark, ...answered }, options),
    signal,
  );
  if (UploadId === undefined) throw new Error('the store began a multipart upload without an id');
  const upload: Upload = { ...state, upload_id: UploadId };
  const sending = new Sending(upload, stop);
  try {
    await fault('s3.after_create');
    await sending.start(first);
    for await (const part of rest) await sending.start(part);
    await complete(upload, await sending.finish());
    return sending.size;
  } catch (error) {
    stop.abort(error);
    await sending.settle(); // a part that arrives behind the abort would stay for ever
    await abort(upload);
    throw error;
  }
}

/** The parts of one upload that are on their way or have arrived. */
class Sending {
  readonly #upload: Upload;
  readonly #stop: AbortController;
  readonly #running = new Set<Promise<void>>();
  readonly #sent: SentPart[] = [];
  size = 0;

  constructor(upload: Upload, stop: AbortController) {
    this.#upload = upload;
    this.#stop = stop;
  }

  /** Sends a part as soon as one more may be on its way; what was there before may fail here. */
  async start(part: Part): Promise<void> {
    let isPermitted = this.#mayStart();
    while (this.#running.size > 0 && isPermitted === false) {
      await Promise.race(this.#running);
      isPermitted = this.#mayStart();
    }
    this.#upload.signal.throwIfAborted();
    this.size += part.bytes.byteLength;
    const sending = this.#send(part).finally(() => {
      this.#running.delete(sending);
      if (isPermitted === 'permit') this.#upload.gate.give();
    });
    this.#running.add(sending);
    // It is awaited above or in finish; a source that is silent meanwhile is told at once.
    sending.catch((error: unknown) => this.#stop.abort(error));
  }

  /** Waits for all parts; in their order. */
  async finish(): Promise<readonly SentPart[]> {
    await Promise.all(this.#running);
    this.#upload.signal.throwIfAborted();
    return this.#sent.toSorted((a, b) => a.PartNumber - b.PartNumber);
  }

  /** Waits until nothing is on its way any more, however it ended. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  #mayStart(): false | 'free' | 'permit' {
    if (this.#running.size === 0) return 'free';
    return this.#running.size < partsAtOnce && this.#upload.gate.take() ? 'permit' : false;
  }

  async #send({ number, bytes, buffer }: Part): Promise<void> {
    const { store, place, upload_id, signal } = this.#upload;
    await fault('s3.part');
    const input = { ...place, UploadId: upload_id, PartNumber: number, Body: bytes, ContentLength: bytes.byteLength };
    const { ETag, $metadata } = await store.call((options) => store.client.uploadPart(input, options), signal);
    if (ETag === undefined) throw new Error('the store took a part and did not name it');
    this.#sent.push({ PartNumber: number, ETag });
    // All of it was read, and by nobody else: an earlier attempt's connection might still be sending it.
    if (buffer !== undefined && $metadata.attempts === 1) this.#upload.buffers.give(buffer);
  }
}

async function complete(upload: Upload, Parts: readonly SentPart[]): Promise<void> {
  const { store, place, upload_id, signal } = upload;
  const { quirks } = store.settings;
  if (!quirks.conditional_complete) await refuseExisting(upload);
  await fault('s3.before_complete');
  const input = {
    ...place,
    UploadId: upload_id,
    MultipartUpload: { Parts: [...Parts] },
    ...(quirks.conditional_complete && { IfNoneMatch: '*' }),
  };
  await settled(upload, async () => {
    await store.callRaw((options) => store.client.completeMultipartUpload(input, options), signal);
    await fault('s3.after_complete');
  });
}

/** Removes what has arrived. Where the store does not say that it did, the put has failed already, and the sweep comes. */
async function abort({ store, place, upload_id }: Upload): Promise<void> {
  const input = { ...place, UploadId: upload_id };
  await store.call((options) => store.client.abortMultipartUpload(input, options)).catch(() => undefined);
}
