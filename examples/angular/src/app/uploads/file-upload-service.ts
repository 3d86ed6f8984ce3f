/**
 * Rowlock's files as an Angular service: the names that Angular applications call, and signals of what is going on. It
 * decides nothing: ways, retries and resumption are the client's, rights the database's. Every wait ends with its signal.
 */
import { computed, Injectable, inject, signal } from '@angular/core';
import {
  type EntityFile,
  isRowlockError,
  type Picture,
  RowlockError,
  type UploadedFile,
  type UploadProgress,
} from '@rowlock/client';
import {
  type FileChoices,
  type FileFacts,
  type FileUrls,
  type PresignedUpload,
  type PutChoices,
  RowlockFiles,
} from '@rowlock/client/files';
import { Rowlock } from '../rowlock/rowlock';
import { type PhotoLocation, waitForLocation } from './photo-location';

export interface UploadChoices extends FileChoices {
  readonly onProgress?: (progress: UploadProgress) => void;
  /** Cancels the upload. */
  readonly signal?: AbortSignal;
}

/** What was uploaded, with the id that every other function asks for. */
export interface EntityUpload extends UploadedFile {
  readonly fileId: string;
}

/** The URL of an original is for one look. */
const originalSeconds = 300;

@Injectable({ providedIn: 'root' })
export class FileUploadService {
  readonly #rowlock = inject(Rowlock);
  readonly #files = computed(() => new RowlockFiles(this.#rowlock.client));
  readonly #running = signal(0);
  readonly #error = signal<RowlockError | undefined>(undefined);
  readonly #progress = signal<UploadProgress | undefined>(undefined);

  /** Whether bytes of any file are on their way. */
  readonly uploading = computed(() => this.#running() > 0);
  /** Why the last upload failed; undefined since another one began. */
  readonly error = this.#error.asReadonly();
  /** How far the upload is that moved last. */
  readonly progress = this.#progress.asReadonly();

  /** Uploads a file of an entity by the way that suits its size. Cancelling rejects with `client_closed`. */
  uploadFile(file: File, entityType: string, entityId: string, choices: UploadChoices = {}): Promise<EntityUpload> {
    return this.#told(async () => {
      const uploaded = await this.#files().upload(file, entityType, entityId, this.#telling(choices));
      const { fileId } = uploaded;
      if (fileId === undefined) throw new RowlockError('internal', 'A file of an entity has an id');
      return { ...uploaded, fileId };
    });
  }

  /** The same, and waits until its thumbnails are there or known not to come. */
  uploadWithThumbnails(
    file: File,
    entityType: string,
    entityId: string,
    choices: UploadChoices = {},
  ): Promise<Picture> {
    return this.#told(() => this.#files().uploadWithThumbnails(file, entityType, entityId, this.#telling(choices)));
  }

  /** Waits until a file has its thumbnails, or will never have any. */
  waitForThumbnails(fileId: string, options: { readonly signal?: AbortSignal } = {}): Promise<Picture> {
    return this.#files().waitForThumbnails(fileId, options);
  }

  /** Waits until a file was read, and answers where it was taken, if it says so and the caller may know. */
  waitForLocation(fileId: string, options: { readonly signal?: AbortSignal } = {}): Promise<PhotoLocation> {
    return waitForLocation(this.#rowlock.client, fileId, options.signal ?? new AbortController().signal);
  }

  /** Takes back the consent to know where a photo was taken: its position is deleted at once. */
  async forgetLocation(fileId: string): Promise<void> {
    await this.#rowlock.client.rpc('set_location_consent', { p_file_id: fileId, p_consent: false });
  }

  /** The files of an entity that the caller sees, newest first. */
  getFiles(entityType: string, entityId: string): Promise<readonly EntityFile[]> {
    return this.#files().getFiles(entityType, entityId);
  }

  /** URLs of files and their thumbnails, in the order of the ids. */
  urls(fileIds: readonly string[]): Promise<readonly FileUrls[]> {
    return fileIds.length === 0 ? Promise.resolve([]) : this.#files().urls(fileIds);
  }

  /** The URL of an original, for a few minutes: asked for when somebody opens it. */
  async originalUrl(fileId: string): Promise<string> {
    const args = { p_id: fileId, p_expires_in: originalSeconds };
    const url = await this.#rowlock.client.rpc<string | null>('get_download_url', args);
    if (url === null) throw new RowlockError('object_not_found', 'There is no such file, or it is not yours to see');
    return url;
  }

  /** The first of three steps for who sends the bytes themselves: a URL to put them to. */
  getPresignedUrl(
    entityType: string,
    entityId: string,
    file: FileFacts,
    choices: FileChoices = {},
  ): Promise<PresignedUpload> {
    return this.#files().getPresignedUrl(entityType, entityId, file, choices);
  }

  /** The second: the bytes, straight to the store. */
  uploadToS3(upload: PresignedUpload, file: Blob, choices: PutChoices = {}): Promise<void> {
    return this.#told(() => this.#files().uploadToS3(upload, file, choices));
  }

  /** The third: the row of the file. */
  createFileRecord(
    upload: PresignedUpload,
    entityType: string,
    entityId: string,
    file: FileFacts & FileChoices,
  ): Promise<Readonly<Record<string, unknown>>> {
    return this.#files().createFileRecord(upload, entityType, entityId, file);
  }

  /** Removes a file, its thumbnails and its bytes. */
  remove(fileId: string): Promise<void> {
    return this.#files().remove(fileId);
  }

  #telling(choices: UploadChoices): UploadChoices {
    return {
      ...choices,
      onProgress: (progress) => {
        this.#progress.set(progress);
        choices.onProgress?.(progress);
      },
    };
  }

  /** Runs an upload, and has the signals say so. What somebody cancelled is no error. */
  async #told<T>(upload: () => Promise<T>): Promise<T> {
    this.#running.update((count) => count + 1);
    this.#error.set(undefined);
    try {
      return await upload();
    } catch (error) {
      if (isRowlockError(error) && !isRowlockError(error, 'client_closed')) this.#error.set(error);
      throw error;
    } finally {
      this.#running.update((count) => count - 1);
    }
  }
}
