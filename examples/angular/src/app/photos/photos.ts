/**
 * The photos of one report, as its gallery shows them: the rows of its files with a signed thumbnail each, in two requests.
 * It reads again when a photo of this page has arrived, when the change feed says that anything has changed, and now and
 * then while something is still in the making. Where there is no feed, looking is all there is.
 */
import { computed, DestroyRef, effect, Injectable, inject, resource, signal, untracked } from '@angular/core';
import { type EntityFile, isRowlockError, type ThumbnailStatus } from '@rowlock/client';
import type { FileUrls } from '@rowlock/client/files';
import { lastKnown } from '../reports/last-known';
import { Rowlock } from '../rowlock/rowlock';
import { Session } from '../session/session';
import { FileUploadService } from '../uploads/file-upload-service';
import { PhotoUploads } from '../uploads/photo-uploads';

export interface Photo {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly status: ThumbnailStatus;
  readonly error: string | null;
  /** Whether whoever looks added it, and so may delete it. */
  readonly isMine: boolean;
  readonly width: number | null;
  readonly height: number | null;
  /** A placeholder of about 25 bytes, in base64. */
  readonly thumbhash: string | null;
  readonly thumbnailUrl: string | null;
  /** What the lightbox shows until the original is there, and instead of one that browsers cannot show. */
  readonly largeUrl: string | null;
}

const lookAgainMs = 1500;
/** URLs are signed for an hour. */
const renewMs = 50 * 60_000;

/** Provided by each gallery for itself. */
@Injectable()
export class Photos {
  readonly #rowlock = inject(Rowlock);
  readonly #service = inject(FileUploadService);
  readonly #session = inject(Session);
  readonly #uploads = inject(PhotoUploads);
  readonly #report = signal<string | undefined>(undefined);
  readonly #version = signal(0);
  readonly #rows = resource({
    params: () => ({ report: this.#report(), version: this.#version() }),
    loader: ({ params: { report } }) => (report === undefined ? Promise.resolve(undefined) : this.#read(report)),
  });
  /** URLs that were signed already: another one would be another picture for the browser. */
  readonly #urls = new Map<string, FileUrls>();

  readonly #last = lastKnown(this.#rows, this.#report);
  readonly all = computed(() => this.#last() ?? []);
  readonly isLoading = computed(() => this.#last() === undefined && this.#rows.error() === undefined);
  readonly failed = computed(() => this.#rows.error() !== undefined);

  constructor() {
    effect(() => {
      if (this.#uploads.changes() > 0) untracked(() => this.#reload());
    });
    effect((onCleanup) => {
      const isMaking = this.all().some(({ status }) => status === 'pending' || status === 'processing');
      const timer = setTimeout(() => this.#reload(), lookAgainMs);
      if (!isMaking) clearTimeout(timer);
      onCleanup(() => clearTimeout(timer));
    });
    const renewal = setInterval(() => {
      this.#urls.clear();
      this.#reload();
    }, renewMs);
    const left = new AbortController();
    inject(DestroyRef).onDestroy(() => {
      clearInterval(renewal);
      left.abort();
    });
    effect((onCleanup) => {
      const report = this.#report();
      if (report === undefined) return;
      const other = new AbortController();
      onCleanup(() => other.abort());
      void this.#follow(report, AbortSignal.any([left.signal, other.signal]));
    });
  }

  show(report: string): void {
    this.#report.set(report);
  }

  /** Deletes a photo with its thumbnails, for whoever added it. */
  async remove(photoId: string): Promise<void> {
    await this.#service.remove(photoId);
    this.#reload();
  }

  #reload(): void {
    this.#version.update((version) => version + 1);
  }

  async #read(report: string): Promise<readonly Photo[]> {
    const files = await this.#service.getFiles('pothole', report);
    const urls = await this.#urlsOf(files);
    return files.map((file) => ({
      id: file.id,
      name: file.file_name,
      size: file.file_size,
      status: file.thumbnail_status,
      error: file.thumbnail_error,
      isMine: file.created_by === this.#session.person(),
      width: file.width,
      height: file.height,
      thumbhash: file.thumbhash,
      thumbnailUrl: urls.get(file.id)?.thumbnail_medium_url ?? null,
      largeUrl: urls.get(file.id)?.thumbnail_large_url ?? null,
    }));
  }

  /** Of those whose thumbnails are made; asked for once. */
  async #urlsOf(files: readonly EntityFile[]): Promise<ReadonlyMap<string, FileUrls>> {
    const unknown = files.filter((file) => file.thumbnail_status === 'completed' && !this.#urls.has(file.id));
    for (const each of await this.#service.urls(unknown.map(({ id }) => id))) this.#urls.set(each.id, each);
    return this.#urls;
  }

  async #follow(report: string, signal: AbortSignal): Promise<void> {
    try {
      for await (const _change of this.#rowlock.client.follow({
        bucket: 'files',
        prefix: `pothole/${report}/`,
        signal,
      })) {
        this.#reload();
      }
    } catch (error) {
      // Whoever may not follow sees what they do themselves, and the rest after a reload of the page.
      if (!isRowlockError(error)) throw error;
    }
  }
}
