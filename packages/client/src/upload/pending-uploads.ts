/**
 * Remembers uploads in parts that were begun, so that a page that was closed goes on with them. It keeps ids and no bytes, names no
 * caller and grants nothing: an id is of use to its uploader alone. Invariant: an entry ends with its upload.
 */

/** An upload that was begun. */
export interface PendingUpload {
  readonly uploadId: string;
  /** Of the whole file, where it was asked for at the beginning. */
  readonly sha256?: string | undefined;
  /** Milliseconds since 1970. */
  readonly begunAt: number;
}

/** A place for them; `localStorage`, IndexedDB or a file can be behind it. */
export interface PendingUploads {
  get(key: string): Promise<PendingUpload | undefined>;
  set(key: string, upload: PendingUpload): Promise<void>;
  delete(key: string): Promise<void>;
}

/** What of the browser's storage is used. */
export type TextStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>;

const prefix = 'rowlock.upload.';
/** Uploads live for a week at most. */
const keptMs = 7 * 86_400_000;

/** Keeps them in `localStorage`, or in another storage of texts. What is older than a week goes. */
export function storedUploads(storage: TextStorage): PendingUploads {
  const read = (name: string): PendingUpload | undefined => {
    const upload = parsed(storage.getItem(name));
    if (upload === undefined || Date.now() - upload.begunAt < keptMs) return upload;
    storage.removeItem(name);
    return undefined;
  };
  return {
    get: async (key) => read(prefix + key),
    set: async (key, upload) => {
      for (const name of Array.from({ length: storage.length }, (_, place) => storage.key(place))) {
        if (name?.startsWith(prefix)) read(name);
      }
      storage.setItem(prefix + key, JSON.stringify(upload));
    },
    delete: async (key) => storage.removeItem(prefix + key),
  };
}

/** Those of this browser; undefined where there is no storage, or none that may be used. */
export function browserUploads(): PendingUploads | undefined {
  try {
    return typeof document === 'undefined' ? undefined : storedUploads(localStorage);
  } catch {
    return undefined; // a frame without an origin, or a person who allows no storage
  }
}

function parsed(text: string | null): PendingUpload | undefined {
  try {
    const upload = JSON.parse(text ?? 'null') as Partial<PendingUpload> | null;
    return typeof upload?.uploadId === 'string' && typeof upload.begunAt === 'number'
      ? (upload as PendingUpload)
      : undefined;
  } catch {
    return undefined; // somebody else's, or half of one
  }
}
