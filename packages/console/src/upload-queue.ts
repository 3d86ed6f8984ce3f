/**
 * The files on their way: which wait, which are sent, what became of each. It shows nothing; whoever shows it is told
 * of every change. Invariant: one failure stops no other file, and a file that failed can be tried again as it is.
 */
import { isRowlockError, RowlockError } from '@rowlock/client';
import { type Limits, refusedBefore } from './limits.ts';
import { sendFile } from './upload-transfer.ts';

/** `storing`: all bytes are sent, and the service has not said yet that it has them. */
export type UploadState = 'waiting' | 'sending' | 'storing' | 'done' | 'failed' | 'cancelled';

export interface Upload {
  readonly bucket: string;
  readonly name: string;
  readonly file: File;
  readonly limits: Limits;
  readonly state: UploadState;
  readonly sent_bytes: number;
  /** Why it failed. */
  readonly error: RowlockError | undefined;
}

type Change = Partial<Pick<Upload, 'state' | 'sent_bytes' | 'error'>>;

const sentAtOnceMax = 3;

/** States in which a file is still on its way. */
const unsettled: ReadonlySet<UploadState> = new Set(['waiting', 'sending', 'storing']);

/** Whether nothing more happens to an upload by itself. */
export function isSettled(upload: Upload): boolean {
  return !unsettled.has(upload.state);
}

export class UploadQueue {
  readonly #key: string;
  readonly #uploads = new Map<string, Upload>();
  readonly #running = new Map<string, AbortController>();
  readonly #replacing = new Set<string>();
  readonly #listeners = new Set<(id: string, upload: Upload | undefined) => void>();
  #count = 0;

  constructor(key: string) {
    this.#key = key;
  }

  /** What there is, oldest first, by an id that means nothing. */
  entries(): readonly (readonly [id: string, upload: Upload])[] {
    return [...this.#uploads];
  }

  /** Calls the listener with every upload that changed, and with undefined for one that was removed. */
  listen(listener: (id: string, upload: Upload | undefined) => void, signal?: AbortSignal): void {
    this.#listeners.add(listener);
    signal?.addEventListener('abort', () => this.#listeners.delete(listener));
  }

  /** Puts files in line; what the bucket's limits refuse fails here, before a byte moves. */
  add(bucket: string, limits: Limits, files: readonly { readonly name: string; readonly file: File }[]): void {
    if ([...this.#uploads.values()].every(isSettled)) {
      this.#clear(({ state }) => state === 'done');
    }
    for (const { name, file } of files) {
      this.#count += 1;
      const error = refusedBefore(file, limits);
      const state = error === undefined ? 'waiting' : 'failed';
      this.#set(String(this.#count), { bucket, name, file, limits, state, sent_bytes: 0, error });
    }
    this.#sendNext();
  }

  /** Stops a file that is on its way; one that waits is never sent. */
  cancel(id: string): void {
    this.#running.get(id)?.abort();
    const upload = this.#uploads.get(id);
    if (upload?.state === 'waiting') {
      this.#change(id, { state: 'cancelled' });
    }
  }

  /** Sends a file that failed or was cancelled again, in the place of what has its name if asked to. */
  retry(id: string, { replace = false }: { readonly replace?: boolean } = {}): void {
    if (replace) {
      this.#replacing.add(id);
    }
    this.#change(id, { state: 'waiting', sent_bytes: 0, error: undefined });
    this.#sendNext();
  }

  /** Forgets everything that is settled. */
  clearSettled(): void {
    this.#clear(isSettled);
  }

  #clear(isOver: (upload: Upload) => boolean): void {
    for (const [id, upload] of this.#uploads) {
      if (isOver(upload)) {
        this.#uploads.delete(id);
        this.#replacing.delete(id);
        this.#tell(id, undefined);
      }
    }
  }

  /** Stops everything. */
  cancelAll(): void {
    for (const id of this.#uploads.keys()) {
      this.cancel(id);
    }
  }

  #sendNext(): void {
    for (const [id, upload] of this.#uploads) {
      if (this.#running.size >= sentAtOnceMax) {
        return;
      }
      if (upload.state === 'waiting') {
        void this.#send(id, upload);
      }
    }
  }

  async #send(id: string, upload: Upload): Promise<void> {
    const controller = new AbortController();
    this.#running.set(id, controller);
    this.#change(id, { state: 'sending' });
    const onProgress = (sent_bytes: number): void =>
      this.#change(id, { sent_bytes, state: sent_bytes < upload.file.size ? 'sending' : 'storing' });
    const replace = this.#replacing.has(id);
    try {
      await sendFile({ ...upload, key: this.#key, replace, onProgress, signal: controller.signal });
      this.#change(id, { state: 'done', sent_bytes: upload.file.size });
    } catch (thrown) {
      const error = isRowlockError(thrown) ? thrown : new RowlockError('invalid_name', 'This name cannot be sent');
      this.#change(id, error.reason === 'client_closed' ? { state: 'cancelled' } : { state: 'failed', error });
    }
    this.#running.delete(id);
    this.#sendNext();
  }

  #change(id: string, change: Change): void {
    const upload = this.#uploads.get(id);
    if (upload !== undefined) {
      this.#set(id, { ...upload, ...change });
    }
  }

  #set(id: string, upload: Upload): void {
    this.#uploads.set(id, upload);
    this.#tell(id, upload);
  }

  #tell(id: string, upload: Upload | undefined): void {
    for (const listener of this.#listeners) {
      listener(id, upload);
    }
  }
}
