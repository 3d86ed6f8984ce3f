/**
 * The names that Angular applications of today call for files of entities, as promises over a client: thin, without a framework.
 * New code calls the client itself. Invariant: nothing here can what the client and the functions of the database cannot.
 */
import type { StorageClient } from '../client.ts';
import { RowlockError } from '../contract/errors.ts';
import type { UploadRequest } from '../contract/objects.ts';
import type { EntityFile, Picture } from '../contract/pictures.ts';
import { errorOfAnswer } from '../error-of-answer.ts';
import { type SignedRequest, untilSigned } from '../upload/upload-entity-file.ts';
import type { Upload, UploadChoices, UploadSource } from '../upload/upload-options.ts';
import type { WaitOptions } from '../wait-for-thumbnails.ts';

/** What is said of a file before it is there. */
export interface FileFacts {
  readonly name: string;
  readonly type: string;
  readonly size: number;
}

export interface FileChoices {
  readonly propertyName?: string | undefined;
  readonly consentLocation?: boolean | undefined;
}

/** A row of `file_urls`: null where there is no such variant, or the caller does not see the file. */
export interface FileUrls {
  readonly id: string;
  readonly original_url: string | null;
  readonly thumbnail_small_url: string | null;
  readonly thumbnail_medium_url: string | null;
  readonly thumbnail_large_url: string | null;
}

export interface PutChoices {
  /** Told as bytes leave, in browsers. */
  readonly onProgress?: ((bytesSent: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Where a file is whose URL was signed. */
export type PresignedUpload = SignedRequest;

/** Files of entities, of one client. */
export class RowlockFiles {
  readonly client: StorageClient;

  constructor(client: StorageClient) {
    this.client = client;
  }

  /** Uploads a file of an entity by the way that suits its size, and registers it. */
  upload(file: UploadSource, entityType: string, entityId: string, options: UploadChoices & FileChoices = {}): Upload {
    return this.client.upload(file, { ...options, entityType, entityId });
  }

  /** The same, and waits until its thumbnails are there or known not to come. */
  async uploadWithThumbnails(
    file: UploadSource,
    entityType: string,
    entityId: string,
    options: UploadChoices & FileChoices & Pick<WaitOptions, 'timeoutMs' | 'onState'> = {},
  ): Promise<Picture> {
    const uploaded = await this.upload(file, entityType, entityId, options);
    const { signal, timeoutMs, onState } = options;
    return await this.client.waitForThumbnails(uploaded, { signal, timeoutMs, onState });
  }

  /** @throws RowlockError `request_timeout` where it takes longer than a minute, or `timeoutMs` */
  waitForThumbnails(fileId: string, options: WaitOptions = {}): Promise<Picture> {
    return this.client.waitForThumbnails({ fileId }, options);
  }

  /** The files of an entity that the caller sees, newest first. */
  getFiles(entityType: string, entityId: string): Promise<readonly EntityFile[]> {
    return this.client.rpc('get_entity_files', { p_entity_type: entityType, p_entity_id: entityId }, 'GET');
  }

  /** Asks for a URL. It may not be signed yet: `getPresignedUrl` waits. */
  requestUpload(
    entityType: string,
    entityId: string,
    { name, type, size }: FileFacts,
    { propertyName, consentLocation = false }: FileChoices = {},
  ): Promise<UploadRequest> {
    return this.client.rpc('request_upload', {
      p_entity_type: entityType,
      p_entity_id: entityId,
      p_file_name: name,
      p_file_type: type,
      p_file_size: size,
      p_property_name: propertyName ?? null,
      p_consent_location: consentLocation,
    });
  }

  /** Asks for a URL, and answers it when it is signed. @throws RowlockError `unavailable` where nobody signs it in 20 s */
  async getPresignedUrl(
    entityType: string,
    entityId: string,
    file: FileFacts,
    choices: FileChoices = {},
  ): Promise<PresignedUpload> {
    const request = await this.requestUpload(entityType, entityId, file, choices);
    return await untilSigned(this.client, request);
  }

  /** Puts the bytes where a URL says, once. @throws RowlockError the store's refusal; `unavailable` where it does not answer */
  async uploadToS3(
    { url, headers }: Pick<PresignedUpload, 'url' | 'headers'>,
    file: Blob | Uint8Array<ArrayBuffer>,
    { onProgress, signal }: PutChoices = {},
  ): Promise<void> {
    let answer: Response;
    try {
      const request = { body: file, headers: headers ?? {}, signal, onSent: onProgress };
      answer = await this.client.putTo(url, request);
    } catch (cause) {
      const reason = signal?.aborted === true ? 'client_closed' : 'unavailable';
      throw new RowlockError(reason, 'The bytes did not reach the store', { cause });
    }
    if (!answer.ok) throw await errorOfAnswer(answer);
  }

  /** Registers what was put, and answers its row. Twice is once. */
  createFileRecord(
    upload: Pick<PresignedUpload, 'file_id' | 'bucket' | 'key'>,
    entityType: string,
    entityId: string,
    { name, type, size, propertyName }: FileFacts & FileChoices,
  ): Promise<Readonly<Record<string, unknown>>> {
    return this.client.rpc('create_file_record', {
      p_id: upload.file_id,
      p_entity_type: entityType,
      p_entity_id: entityId,
      p_file_name: name,
      p_file_type: type,
      p_file_size: size,
      p_s3_bucket: upload.bucket,
      p_s3_original_key: upload.key,
      p_property_name: propertyName ?? null,
    });
  }

  /** URLs of files and of their thumbnails, in the order of the ids. */
  urls(
    fileIds: readonly string[],
    options: { readonly expirySeconds?: number | undefined } = {},
  ): Promise<readonly FileUrls[]> {
    const { expirySeconds } = options;
    const lifetime = expirySeconds === undefined ? {} : { p_expires_in: expirySeconds };
    return this.client.rpc('file_urls', { p_ids: fileIds, ...lifetime });
  }

  /** Removes a file: its row, its object and its bytes. @throws RowlockError `not_allowed`, `object_not_found` */
  async remove(fileId: string): Promise<void> {
    await this.client.rpc('delete_file_record', { p_file_id: fileId });
  }
}
