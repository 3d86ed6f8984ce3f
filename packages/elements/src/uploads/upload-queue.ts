/**
 * The files on their way: which wait, which are sent, what became of each. It shows nothing; whoever shows it is told
 * of every change. Invariant: one failure stops no other file, and a file that failed can be tried again as it is.
 */
import {
  isRowlockError,
  RowlockError,
  type StorageClient,
  type Upload,
  type UploadedFile,
  type UploadProgress,
} from '@rowlock/client';
import type { NamedFile } from './dropped-files.ts';
import { type Limits, noLimits, refusedBefore } from './limits.ts';
import { findPlace } from './photo-place.ts';
import { type Destination, isSettled, lastPart, type QueuedUpload } from './queued-upload.ts';

export interface AddOptions {
  readonly limits?: Limits;
  /** Whether the place where a photo was taken may be read and kept. */
  readonly consentLocation?: boolean;
}

type Change = Partial<Omit<QueuedUpload, 'destination' | 'name' | 'file' | 'limits' | 'consentLocation'>>;

type Listener = (id: string, upload: QueuedUpload | undefined) => void;

const sentAtOnceDefault = 3;
const fresh = {
  sent_bytes: 0,
  bytesPerSecond: undefined,
  secondsLeft: undefined,
  retrying: false,
  resumedBytes: 0,
  error: undefined,
  uploaded: undefined,
  place: undefined,
} as const;

export class UploadQueue {
  /** How many files are sent at once. */
  sentAtOnceMax: number = sentAtOnceDefault;
  readonly #client: StorageClient;
  readonly #signal: AbortSignal;
  readonly #uploads = new Map<string, QueuedUpload>();
  /** What was begun and is not over: it is sent, or paused. */
  readonly #begun = new Map<string, Upload>();
  readonly #cancelled = new Set<string>();
  readonly #replacing = new Set<string>();
  readonly #listeners = new Set<Listener>();
  #count = 0;

  /** When the signal ends the queue is left: nothing is sent any more, and what has arrived can be gone on with. */
  constructor(client: StorageClient, signal: AbortSignal = new AbortController().signal) {
    this.#client = client;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#leave());
  }

  /** What there is, oldest first, by an id that means nothing. */
  entries(): readonly (readonly [id: string, upload: QueuedUpload])[] {
    return [...this.#uploads];
  }

  /** How many there are. */
  get size(): number {
    return this.#uploads.size;
  }

  /** Calls the listener with every upload that changed, and with undefined for one that was removed. */
  listen(listener: Listener, signal?: AbortSignal): void {
    this.#listeners.add(listener);
    signal?.addEventListener('abort', () => this.#listeners.delete(listener));
  }

  /** Puts files in line; what the limits refuse fails here, before a byte moves. Answers the ids. */
  add(destination: Destination, files: readonly NamedFile[], options: AddOptions = {}): readonly string[] {
    const { limits = noLimits, consentLocation = false } = options;
    if (this.#signal.aborted) {
      return [];
    }
    if ([...this.#uploads.values()].every(isSettled)) {
      this.#clear(({ state }) => state === 'done');
    }
    const ids = files.map(({ name, file }) => {
      this.#count += 1;
      const id = String(this.#count);
      const error = refusedBefore(file, limits);
      const state = error === undefined ? 'waiting' : 'failed';
      this.#set(id, { ...fresh, destination, name, file, limits, consentLocation, state, error });
      return id;
    });
    this.#sendNext();
    return ids;
  }

  /** Stops a file for as long as is liked; the bytes that have arrived stay. */
  pause(id: string): void {
    const state = this.#uploads.get(id)?.state;
    if (state === 'waiting' || state === 'sending') {
      this.#begun.get(id)?.pause();
      this.#change(id, { state: 'paused', bytesPerSecond: undefined, secondsLeft: undefined, retrying: false });
      this.#sendNext();
    }
  }

  /** Puts a file that was paused back in line. */
  resume(id: string): void {
    if (this.#uploads.get(id)?.state === 'paused') {
      this.#change(id, { state: 'waiting' });
      this.#sendNext();
    }
  }

  /** Stops a file that is on its way for good; one that waits is never sent. */
  cancel(id: string): void {
    const upload = this.#uploads.get(id);
    if (upload === undefined || isSettled(upload)) {
      return;
    }
    const begun = this.#begun.get(id);
    if (begun === undefined) {
      this.#change(id, { state: 'cancelled' });
    } else {
      this.#cancelled.add(id);
      begun.cancel();
    }
  }

  /** Sends a file that failed or was cancelled again, in the place of what has its name if asked to. */
  retry(id: string, { replace = false }: { readonly replace?: boolean } = {}): void {
    const upload = this.#uploads.get(id);
    if (upload?.state !== 'failed' && upload?.state !== 'cancelled') {
      return;
    }
    if (replace) {
      this.#replacing.add(id);
    }
    this.#change(id, { ...fresh, state: 'waiting' });
    this.#sendNext();
  }

  pauseAll(): void {
    this.#each((id) => this.pause(id));
  }

  resumeAll(): void {
    this.#each((id) => this.resume(id));
  }

  /** Stops everything. */
  cancelAll(): void {
    this.#each((id) => this.cancel(id));
  }

  /** Sends again what failed and may succeed as it is. */
  retryAll(): void {
    this.#each((id, upload) => {
      if (isWorthAnotherTry(upload)) {
        this.retry(id);
      }
    });
  }

  /** Forgets everything that is settled. */
  clearSettled(): void {
    this.#clear(isSettled);
  }

  /** Stops what is under way without giving it up: that is not for the end of a session to decide. */
  #leave(): void {
    for (const begun of this.#begun.values()) {
      begun.pause();
    }
    this.#begun.clear();
    this.#clear(() => true);
  }

  #each(act: (id: string, upload: QueuedUpload) => void): void {
    // The newest first, so that what is stopped makes no room for what is stopped next.
    for (const [id, upload] of [...this.#uploads].reverse()) {
      act(id, upload);
    }
  }

  #clear(isOver: (upload: QueuedUpload) => boolean): void {
    for (const [id, upload] of this.#uploads) {
      if (isOver(upload)) {
        this.#uploads.delete(id);
        this.#replacing.delete(id);
        this.#tell(id, undefined);
      }
    }
  }

  #sendNext(): void {
    for (const [id, upload] of this.#uploads) {
      if (this.#sendingCount() >= this.sentAtOnceMax) {
        return;
      }
      if (upload.state === 'waiting') {
        this.#go(id, upload);
      }
    }
  }

  #sendingCount(): number {
    // Of what was begun only: a queue of thousands is not to be counted for each of them.
    return [...this.#begun.keys()].filter((id) => isSent(this.#uploads.get(id))).length;
  }

  #go(id: string, upload: QueuedUpload): void {
    this.#change(id, { state: 'sending' });
    const begun = this.#begun.get(id);
    if (begun === undefined) {
      void this.#send(id, upload);
    } else {
      begun.resume();
    }
  }

  async #send(id: string, { destination, name, file, consentLocation }: QueuedUpload): Promise<void> {
    try {
      const begun = this.#client.upload(file, {
        ...('bucket' in destination
          ? { bucket: destination.bucket, name }
          : { ...destination, fileName: lastPart(name) }),
        ...(file.type === '' ? {} : { contentType: file.type }),
        overwrite: this.#replacing.has(id),
        consentLocation,
        onProgress: (progress) => this.#follow(id, progress),
      });
      this.#begun.set(id, begun);
      const uploaded = await begun;
      this.#end(id, { state: 'done', sent_bytes: file.size, uploaded });
      if (consentLocation && file.type.startsWith('image/')) {
        await this.#lookForPlace(id, uploaded);
      }
    } catch (thrown) {
      const error = isRowlockError(thrown) ? thrown : new RowlockError('invalid_name', 'This file cannot be sent');
      this.#end(id, this.#cancelled.has(id) ? { state: 'cancelled' } : { state: 'failed', error });
    }
  }

  async #lookForPlace(id: string, uploaded: UploadedFile): Promise<void> {
    this.#change(id, { place: { state: 'looking' } });
    try {
      this.#change(id, { place: await findPlace(this.#client, uploaded, this.#signal) });
    } catch {
      this.#change(id, { place: { state: 'unknown' } });
    }
  }

  #end(id: string, change: Change): void {
    this.#begun.delete(id);
    this.#cancelled.delete(id);
    this.#change(id, { ...change, bytesPerSecond: undefined, secondsLeft: undefined, retrying: false });
    this.#sendNext();
  }

  #follow(id: string, progress: UploadProgress): void {
    const upload = this.#uploads.get(id);
    if (upload === undefined || !isSent(upload)) {
      return;
    }
    const { phase, bytesSent, bytesResumed, bytesPerSecond, secondsLeft } = progress;
    this.#change(id, {
      state: phase === 'completing' || bytesSent >= upload.file.size ? 'storing' : 'sending',
      sent_bytes: bytesSent,
      bytesPerSecond,
      secondsLeft,
      retrying: phase === 'retrying',
      resumedBytes: bytesResumed,
    });
  }

  #change(id: string, change: Change): void {
    const upload = this.#uploads.get(id);
    if (upload !== undefined) {
      this.#set(id, { ...upload, ...change });
    }
  }

  #set(id: string, upload: QueuedUpload): void {
    this.#uploads.set(id, upload);
    this.#tell(id, upload);
  }

  #tell(id: string, upload: QueuedUpload | undefined): void {
    for (const listener of this.#listeners) {
      listener(id, upload);
    }
  }
}

/** Whether a file failed or was cancelled and another try, as it is, may meet another answer. */
export function isWorthAnotherTry({ state, error }: QueuedUpload): boolean {
  return state === 'cancelled' || (state === 'failed' && !isRowlockError(error, ...final));
}

function isSent(upload: QueuedUpload | undefined): boolean {
  return upload?.state === 'sending' || upload?.state === 'storing';
}

const final = ['object_exists', 'too_large', 'media_type_not_allowed'] as const;
