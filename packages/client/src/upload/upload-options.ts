/**
 * What an upload is asked for with, and what it says of itself: the types of `client.upload`. Nothing runs here.
 */
import type { PartSource } from './part-source.ts';
import type { PendingUploads } from './pending-uploads.ts';

/** A name in a bucket, or a file of an entity, whose name the service chooses. */
export type UploadTarget =
  | { readonly bucket: string; readonly name: string }
  | { readonly entityType: string; readonly entityId: string; readonly propertyName?: string | undefined };

/** What is uploaded. Nothing of it but the pieces on their way is in memory. */
export type UploadSource = Blob | PartSource | Uint8Array<ArrayBuffer>;

/**
 * `service`: one request through the service. `put`: one request by a URL that was signed for it, of a file of an entity straight
 * to the store. `parts`: parts straight to the store, a few at once; it is what resumes.
 */
export type UploadWay = 'service' | 'put' | 'parts';

export interface UploadChoices {
  /** That of the file unless given. */
  readonly contentType?: string | undefined;
  /** Of an entity's file: what it is called; that of the file unless given. */
  readonly fileName?: string | undefined;
  /** True to overwrite, false to refuse a name that is taken, undefined for the bucket's own setting. */
  readonly overwrite?: boolean | undefined;
  /** Seconds that caches may keep it, or a whole header. */
  readonly cacheControl?: string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  /** Whether the person agreed that the position of a photo is read. */
  readonly consentLocation?: boolean | undefined;
  /** `sha256` to compute it here, piece by piece, or in hex what is known; the bytes are compared before anybody sees them. */
  readonly checksum?: 'sha256' | (string & {}) | undefined;
  /** Chosen by size and by what the store can do unless given. */
  readonly way?: UploadWay | undefined;
  /** Bytes of a part; chosen by the service unless given. */
  readonly partSize?: number | undefined;
  /** Parts on their way at once; four unless given. */
  readonly atOnce?: number | undefined;
  /** How often a request is sent before it fails the upload; eight times unless given. */
  readonly attemptsMax?: number | undefined;
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
  /** Cancels it. */
  readonly signal?: AbortSignal | undefined;
  /** What a reloaded page finds a begun upload by; made of the file and its target unless given, `false` for none. */
  readonly resumeKey?: string | false | undefined;
  /** Where begun uploads are remembered; the browser's storage unless given, and nothing elsewhere. */
  readonly storage?: PendingUploads | undefined;
}

export interface UploadProgress {
  readonly phase: 'preparing' | 'sending' | 'completing' | 'paused' | 'retrying';
  /** Never goes back, though what broke off is sent again. */
  readonly bytesSent: number;
  readonly bytesTotal: number;
  /** Of them, what had arrived before this upload began. */
  readonly bytesResumed: number;
  /** Of the last seconds; undefined until there is something to say. */
  readonly bytesPerSecond: number | undefined;
  readonly secondsLeft: number | undefined;
}

/** An upload that runs. To wait for it is to await it, or `done`. */
export interface Upload extends PromiseLike<UploadedFile> {
  readonly done: Promise<UploadedFile>;
  readonly progress: UploadProgress;
  /** Ends the requests that are on their way; parts that have arrived stay. */
  pause(): void;
  resume(): void;
  /** Gives it up, also at the store: it fails with `client_closed`. */
  cancel(): void;
}

export interface UploadedFile {
  readonly bucket: string;
  readonly name: string;
  /** Undefined while the service has not looked at the bytes of an entity's file yet. */
  readonly objectId: string | undefined;
  /** Of an entity's file. */
  readonly fileId: string | undefined;
  readonly size: number;
  readonly contentType: string;
  readonly sha256: string | undefined;
}
