/**
 * Who may have which URL, where there is no database at hand: PostgREST is asked as the caller, so that the policies
 * decide, or a caller has a folder of their own. Nothing is signed here. Invariant: no key is the caller's choice when
 * something is written, and none is readable unless it was said to be.
 */
import { type ErrorReason, RowlockError } from '../contract/errors.ts';
import type { EdgeClaims } from './token-verifier.ts';

export interface EdgeCaller {
  /** Verified. */
  readonly token: string;
  readonly claims: EdgeClaims;
}

/** A file that somebody wants to upload. */
export interface EdgeFile {
  readonly fileName: string;
  /** A media type; '' where the browser knows none. */
  readonly fileType: string;
  readonly entityType: string | undefined;
  readonly entityId: string | undefined;
  readonly fileSize: number | undefined;
}

/** Where it goes, and under which ids it is known then, where it is known. */
export interface EdgeGrant {
  readonly key: string;
  readonly request_id?: string;
  readonly file_id?: string;
}

export interface EdgeRules {
  /** @throws RowlockError where the caller may not upload this */
  grantUpload(caller: EdgeCaller, file: EdgeFile): Promise<EdgeGrant>;
  /** Those of the keys that the caller may read. */
  readableKeys(caller: EdgeCaller, keys: readonly string[]): Promise<ReadonlySet<string>>;
}

export interface PostgrestOptions {
  /** Such as `https://api.example.com`. */
  readonly url: string;
  /** How long one request may take. Default 5 s. */
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
}

/** So many keys of at most 1,024 characters are asked about in one request, which has them in its URL. */
const keysPerRequest = 50;
const answerBytesMax = 1_048_576;

/**
 * PostgREST is asked with the caller's own token: `request_upload` writes the intent as they may, and of the files that
 * they see the originals are readable.
 */
export function postgrestRules(options: PostgrestOptions): EdgeRules {
  const base = options.url.replace(/\/+$/, '');
  const ask = async (caller: EdgeCaller, path: string, init: RequestInit = {}): Promise<unknown> => {
    const response = await (options.fetch ?? fetch)(`${base}${path}`, {
      ...init,
      headers: {
        authorization: `Bearer ${caller.token}`,
        accept: 'application/json',
        'content-type': 'application/json',
      },
      redirect: 'error', // the token is for nobody else
      signal: AbortSignal.timeout(options.timeoutMs ?? 5000),
    }).catch((cause: unknown) => {
      throw new RowlockError('unavailable', 'The database cannot be asked now', { cause, retryAfterSeconds: 5 });
    });
    const text = await response.text();
    if (!response.ok || text.length > answerBytesMax) throw refusalOf(response);
    return JSON.parse(text);
  };
  return {
    async grantUpload(caller, file) {
      if (file.entityType === undefined || file.entityId === undefined) {
        throw new RowlockError('invalid_request', 'entityType and entityId say what the file belongs to');
      }
      const body = JSON.stringify({
        p_entity_type: file.entityType,
        p_entity_id: file.entityId,
        p_file_name: file.fileName,
        p_file_type: file.fileType,
        ...(file.fileSize === undefined ? {} : { p_file_size: file.fileSize }),
      });
      return grantOf(await ask(caller, '/rpc/request_upload', { method: 'POST', body }));
    },
    async readableKeys(caller, keys) {
      const readable = new Set<string>();
      for (let first = 0; first < keys.length; first += keysPerRequest) {
        const wanted = keys.slice(first, first + keysPerRequest).map((key) => `"${key.replace(/["\\]/g, '\\$&')}"`);
        const filter = encodeURIComponent(`in.(${wanted.join(',')})`);
        const rows = await ask(caller, `/files?select=s3_original_key,object_id&s3_original_key=${filter}`);
        for (const { s3_original_key, object_id } of Array.isArray(rows) ? rows : []) {
          if (object_id != null) readable.add(String(s3_original_key)); // its bytes are there
        }
      }
      return readable;
    },
  };
}

const reasonOfStatus: Readonly<Record<number, ErrorReason>> = {
  400: 'invalid_request',
  401: 'invalid_token',
  403: 'not_allowed',
  404: 'object_not_found',
  429: 'rate_limited',
};

/** What PostgREST says is for its own callers; of ours only the kind is told. */
function refusalOf(response: Response): RowlockError {
  const reason = reasonOfStatus[response.status];
  return reason === undefined
    ? new RowlockError('unavailable', 'The database did not answer as it should', { retryAfterSeconds: 5 })
    : new RowlockError(reason, `The database refused this (${response.status})`);
}

function grantOf(answer: unknown): EdgeGrant {
  const { put_key: key, request_id, file_id } = (answer ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof key !== 'string' || typeof request_id !== 'string' || typeof file_id !== 'string') {
    throw new RowlockError('unavailable', 'The database did not answer as it should', { retryAfterSeconds: 5 });
  }
  return { key, request_id, file_id };
}

export interface OwnFolderOptions {
  /** In front of every folder: `uploads/`. */
  readonly prefix: string;
}

/**
 * Each subject writes and reads below `prefix` and their `sub`, and nothing else. No row knows of such files: this is
 * for what needs no database.
 */
export function ownFolderRules({ prefix }: OwnFolderOptions): EdgeRules {
  const folderOf = ({ claims: { sub } }: EdgeCaller): string => {
    if (typeof sub !== 'string' || !/^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,199}$/.test(sub)) {
      throw new RowlockError('not_allowed', 'The token names nobody who could have a folder');
    }
    return `${prefix}${sub}/`;
  };
  return {
    async grantUpload(caller, { fileName }) {
      const [, extension = 'bin'] = /\.([A-Za-z0-9]{1,10})$/.exec(fileName) ?? [];
      return { key: `${folderOf(caller)}${crypto.randomUUID()}/original.${extension.toLowerCase()}` };
    },
    async readableKeys(caller, keys) {
      const folder = folderOf(caller);
      const isPlain = (key: string): boolean => !key.split('/').some((part) => part === '' || /^\.\.?$/.test(part));
      return new Set(keys.filter((key) => key.startsWith(folder) && isPlain(key)));
    },
  };
}
