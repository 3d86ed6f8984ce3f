/**
 * All photos on their way, whichever page is open meanwhile: three at a time are sent, three that have arrived are waited for.
 * One that fails leaves the others alone and can be sent again. It says when something became visible, so that lists can
 * read again. Invariant: what somebody left here ends with their session, and nobody else sees or sends it.
 */
import { computed, effect, Injectable, inject, signal } from '@angular/core';
import { isRowlockError } from '@rowlock/client';
import { Reports } from '../reports/reports';
import { Session } from '../session/session';
import { FileUploadService } from './file-upload-service';
import { Lane } from './lane';
import { PhotoUpload } from './photo-upload';

const atOnce = 3;

@Injectable({ providedIn: 'root' })
export class PhotoUploads {
  readonly #service = inject(FileUploadService);
  readonly #reports = inject(Reports);
  readonly #uploads = signal<readonly PhotoUpload[]>([]);
  readonly #changes = signal(0);
  readonly #sending = new Lane(atOnce);
  /** Bounded too: a wait may hold a connection, and browsers have six of them for a host. */
  readonly #reading = new Lane(atOnce);

  readonly all = this.#uploads.asReadonly();
  /** Goes up when a photo has arrived, or was read. */
  readonly changes = this.#changes.asReadonly();
  /** What is left to do, for a page that is about to be closed. */
  readonly isBusy = computed(() => this.#uploads().some((upload) => !upload.isOver()));

  constructor() {
    const session = inject(Session);
    effect((onCleanup) => {
      session.person();
      onCleanup(() => this.#clear());
    });
  }

  add(files: readonly File[], reportId: string, consentLocation: boolean): void {
    const added = files.map((file) => new PhotoUpload(file, reportId, consentLocation));
    this.#uploads.update((uploads) => [...uploads, ...added]);
    for (const upload of added) void this.#run(upload);
  }

  cancel(upload: PhotoUpload): void {
    if (upload.isOver()) return;
    upload.state.set('cancelled');
    upload.stop.abort();
  }

  retry(upload: PhotoUpload): void {
    upload.stop = new AbortController();
    upload.error.set(undefined);
    upload.progress.set(undefined);
    upload.state.set('waiting');
    void this.#run(upload);
  }

  dismiss(upload: PhotoUpload): void {
    this.#uploads.update((uploads) => uploads.filter((each) => each !== upload));
  }

  #clear(): void {
    for (const upload of this.#uploads()) this.cancel(upload);
    this.#uploads.set([]);
  }

  async #run(upload: PhotoUpload): Promise<void> {
    const { signal } = upload.stop;
    try {
      const fileId = await this.#sending.run(() => this.#send(upload, signal));
      upload.fileId.set(fileId);
      this.#changes.update((count) => count + 1);
      signal.throwIfAborted();
      upload.state.set('reading');
      await this.#reading.run(() => this.#read(upload, fileId, signal));
      upload.state.set('ready');
    } catch (error) {
      // What was cancelled is no failure, and may have begun again meanwhile.
      if (!signal.aborted) {
        upload.error.set(reasonOf(error));
        upload.state.set('failed');
      }
    } finally {
      this.#changes.update((count) => count + 1);
    }
  }

  async #send(upload: PhotoUpload, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    upload.state.set('sending');
    const { file, reportId, consentLocation, progress } = upload;
    const choices = { consentLocation, signal, onProgress: progress.set.bind(progress) };
    return (await this.#service.uploadFile(file, 'pothole', reportId, choices)).fileId;
  }

  /** First where it was taken, which the report's row has too by then; its thumbnails are there at the same time. */
  async #read(upload: PhotoUpload, fileId: string, signal: AbortSignal): Promise<void> {
    upload.location.set(await this.#service.waitForLocation(fileId, { signal }));
    this.#reports.reload();
    const { status, error } = await this.#service.waitForThumbnails(fileId, { signal });
    if (status === 'failed') throw new Error(error ?? 'it cannot be read');
  }
}

function reasonOf(error: unknown): string {
  if (isRowlockError(error, 'unavailable')) return 'the service does not answer';
  if (isRowlockError(error, 'not_allowed')) return 'you may not add photos here';
  return error instanceof Error ? error.message : String(error);
}
