/**
 * An application that knows only PostgREST, for tests of the contract: it asks for URLs, puts bytes where they say and
 * registers files, through the real program where POSTGREST_BIN names one. It judges nothing.
 */
import assert from 'node:assert/strict';
import {
  type Postgrest,
  type PostgrestAnswer,
  type PostgrestClaims,
  type ServiceOptions,
  startPostgrest,
  startService,
  type TestService,
  until,
} from '@rowlock/test-harness';

export const ann = { sub: 'ann', role: 'authenticated' } as const;
export const bob = { sub: 'bob', role: 'authenticated' } as const;

export interface UrlRow {
  readonly status: string;
  readonly url: string | null;
  readonly file_id: string;
  readonly error: string | null;
}

/** What `request_upload` and `get_upload_request` answer. */
export interface UploadRequest {
  readonly request_id: string;
  readonly file_id: string;
  readonly status: string;
  readonly url: string | null;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly bucket: string | null;
  readonly key: string;
  readonly put_key: string;
  readonly expires_at: string | null;
  readonly error: string | null;
}

/** One whose URL is there. */
export interface SignedRequest extends UploadRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bucket: string;
  readonly expires_at: string;
}

export interface Application {
  readonly service: TestService;
  readonly postgrest: Postgrest;
  /** Calls a function by POST. */
  call(name: string, args: object, as?: PostgrestClaims): Promise<PostgrestAnswer>;
  /** Asks for a URL by the four arguments, and polls by GET until it is there. */
  requestUrl(changes?: object, as?: PostgrestClaims): Promise<UrlRow & { readonly url: string; readonly id: string }>;
  /** Asks by the new function, and polls until the URL is there. */
  requestUpload(changes?: object, as?: PostgrestClaims): Promise<SignedRequest>;
  /** What the Angular service sends of an uploaded file: bucket and key are read from the URL's path, undecoded. */
  recordOf(request: { readonly file_id: string; readonly url: string }, changes?: object): object;
  /** Waits until the file has its object. */
  committed(fileId: string): Promise<Readonly<Record<string, unknown>>>;
  stop(): Promise<void>;
}

const asked = { p_entity_type: 'issue', p_entity_id: '7', p_file_name: 'note.txt', p_file_type: 'text/plain' };

/** Starts a service, its workers and a PostgREST beside them. */
export async function startApplication(options: ServiceOptions = {}): Promise<Application> {
  const service = await startService(options);
  const postgrest = await startPostgrest(service.database);
  const call = (name: string, args: object, as: PostgrestClaims | undefined = ann): Promise<PostgrestAnswer> =>
    postgrest.ask({ method: 'POST', path: `/rpc/${name}`, body: args, as });
  const get = (name: string, id: string, as: PostgrestClaims): Promise<PostgrestAnswer> =>
    postgrest.ask({ method: 'GET', path: `/rpc/${name}`, query: { p_request_id: id }, as });
  return {
    service,
    postgrest,
    call,
    async requestUrl(changes = {}, as = ann) {
      const answer = await call('request_upload_url', { ...asked, ...changes }, as);
      assert.equal(answer.status, 200, answer.bytes.toString());
      const id = answer.json<string>();
      return await until(
        async () => {
          const [row] = (await get('get_upload_url', id, as)).json<UrlRow[]>();
          return row?.status === 'completed' && row.url !== null ? { ...row, url: row.url, id } : undefined;
        },
        { what: 'the upload URL is signed' },
      );
    },
    async requestUpload(changes = {}, as = ann) {
      const answer = await call('request_upload', { ...asked, ...changes }, as);
      assert.equal(answer.status, 200, answer.bytes.toString());
      const { request_id } = answer.json<UploadRequest>();
      return await until(
        async () => {
          const request = (await get('get_upload_request', request_id, as)).json<UploadRequest>();
          return request.status === 'completed' ? (request as SignedRequest) : undefined;
        },
        { what: 'the upload URL is signed' },
      );
    },
    recordOf(request, changes = {}) {
      const [, bucket, ...key] = new URL(request.url).pathname.split('/');
      const place = { p_s3_bucket: bucket, p_s3_original_key: key.join('/') };
      return { ...asked, ...place, p_id: request.file_id, p_file_size: 1, p_thumbnail_status: 'pending', ...changes };
    },
    committed: (fileId) =>
      until(
        async () => {
          const [row] = await service.database.query('SELECT * FROM public.files WHERE id = $1', [fileId]);
          return row?.['object_id'] === null ? undefined : row;
        },
        { what: 'the upload is committed' },
      ),
    async stop() {
      await postgrest.stop();
      await service.stop();
    },
  };
}

/** A PUT as a browser sends it: its own headers, and those that it was told to send. */
export function putBytes(
  url: string,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = { 'content-type': 'text/plain' },
): Promise<Response> {
  return fetch(url, { method: 'PUT', body: typeof body === 'string' ? body : new Uint8Array(body), headers });
}
