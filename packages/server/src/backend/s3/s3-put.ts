/**
 * Writes one object: a body of one part as one PUT, a larger one as a multipart upload. It does not know how large a
 * body will be. Invariants: nothing is visible before all of it is; a key that exists is not replaced; and of one put
 * at most five parts are in memory.
 */
import { fault } from '../../domain/fault.ts';
import type { Place, S3Store } from './s3-client.ts';
import type { Gate } from './s3-gate.ts';
import { type PartBuffers, partBytes } from './s3-part-buffers.ts';
import { inParts, type Part } from './s3-parts.ts';
import { type AnsweredWith, newPutMark, type PutState, refuseExisting, settled } from './s3-put-outcome.ts';
import { putParts } from './s3-put-parts.ts';

/** What all puts of a store share. */
export interface PutMeans {
  readonly gate: Gate;
  readonly buffers: PartBuffers;
}

export interface PutRequest {
  readonly place: Place;
  readonly source: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly answered?: AnsweredWith;
}

/** Parts double after so many: 10,000 of them, S3's most, would be 8 TiB, and an object is at most 5. */
const partsOfOneSize = 1000;

/** Writes a new object and returns its size in bytes. */
export async function putObject(store: S3Store, { gate, buffers }: PutMeans, request: PutRequest): Promise<number> {
  const { place, source, metadata } = request;
  const stop = new AbortController();
  const signal = request.signal === undefined ? stop.signal : AbortSignal.any([request.signal, stop.signal]);
  const parts = inParts(source, { signal, sizeOf: sizesOf(store), buffers });
  const state: PutState = {
    store,
    gate,
    buffers,
    place,
    mark: newPutMark(metadata),
    answered: request.answered ?? {},
    signal,
  };
  try {
    const { value: first } = await parts.next();
    if (first === undefined) throw new Error('a body has at least one part');
    if (!first.isLast) return await putParts(state, first, { rest: parts, stop });
    await putAtOnce(state, first);
    return first.bytes.byteLength;
  } finally {
    await parts.return();
  }
}

/** The size of a part in bytes, by its number. */
function sizesOf({ settings }: S3Store): (number: number) => number {
  if (settings.quirks.equal_parts) return () => partBytes;
  return (number) => partBytes * 2 ** Math.floor((number - 1) / partsOfOneSize);
}

async function putAtOnce(state: PutState, { bytes }: Part): Promise<void> {
  const { store, place, mark, answered, signal } = state;
  const isConditional = store.settings.quirks.conditional_put;
  if (!isConditional) await refuseExisting(state);
  const input = {
    ...place,
    Body: bytes,
    ContentLength: bytes.byteLength,
    Metadata: mark,
    ...answered,
    ...(isConditional && { IfNoneMatch: '*' }),
  };
  await fault('s3.before_put');
  await settled(state, async () => {
    await store.callRaw((options) => store.client.putObject(input, options), signal);
    await fault('s3.after_put');
  });
}
