/**
 * All photos on their way, three at a time, whichever page is open meanwhile. One that fails leaves the others alone and
 * can be sent again. It says when something became visible, so that lists can read again.
 */
import { computed, Injectable, inject, signal } from '@angular/core';
import { isRowlockError } from '@rowlock/client';
import { Reports } from '../reports/reports';
import { FileUploadService } from './file-upload-service';
import { PhotoUpload } from './photo-upload';

const atOnce = 3;

@Injectable({ providedIn: 'root' })
export class PhotoUploads {
  readonly #service = inject(FileUploadService);
  readonly #reports = inject(Reports);
  readonly #uploads = signal<readonly PhotoUpload[]>([]);
  readonly #changes = signal(0);
  #running = 0;

  readonly all = this.#uploads.asReadonly();
  /** Goes up when a photo has arrived, or was read. */
  readonly changes = this.#changes.asReadonly();
  /** What is left to do, for a page that is about to be closed. */
  readonly isBusy = computed(() => this.#uploads().some((upload) => !upload.isOver()));

  add(files: readonly File[], reportId: string, consentLocation: boolean): void {
    const added = files.map((file) => new PhotoUpload(file, reportId, consentLocation));
    this.#uploads.update((uploads) => [...uploads, ...added]);
    this.#startNext();
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
    this.#startNext();
  }

  dismiss(upload: PhotoUpload): void {
    this.#uploads.update((uploads) => uploads.filter((each) => each !== upload));
  }

  #startNext(): void {
    for (const upload of this.#uploads()) {
      if (this.#running >= atOnce) return;
      if (upload.state() === 'waiting') void this.#run(upload);
    }
  }

  async #run(upload: PhotoUpload): Promise<void> {
    this.#running += 1;
    upload.state.set('sending');
    const { signal } = upload.stop;
    try {
      const fileId = await this.#send(upload);
      upload.fileId.set(fileId);
      this.#changes.update((count) => count + 1);
      upload.state.set('reading');
      await this.#read(upload, fileId);
      upload.state.set('ready');
    } catch (error) {
      // What was cancelled is no failure, and may have begun again meanwhile.
      if (!signal.aborted) {
        upload.error.set(reasonOf(error));
        upload.state.set('failed');
      }
    } finally {
      this.#running -= 1;
      this.#changes.update((count) => count + 1);
      this.#startNext();
    }
  }

  async #send({ file, reportId, consentLocation, stop, progress }: PhotoUpload): Promise<string> {
    const choices = { consentLocation, signal: stop.signal, onProgress: progress.set.bind(progress) };
    return (await this.#service.uploadFile(file, 'pothole', reportId, choices)).fileId;
  }

  /** First where it was taken, which the report's row has too by then; its thumbnails are there at the same time. */
  async #read(upload: PhotoUpload, fileId: string): Promise<void> {
    const { signal } = upload.stop;
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
