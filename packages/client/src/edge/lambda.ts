/**
 * AWS Lambda handlers: presigning behind a function URL or an API Gateway of either version, and what S3 tells of new
 * objects, handed on to the service. They only translate; what is decided, the signer and the service decide.
 */
import { type EdgeAnswer, type EdgeRequest, EdgeSigner, type EdgeSignerConfig } from './edge-signer.ts';

/** The fields of a request that are looked at: payload version 2.0, or 1.0 with `httpMethod`. */
export interface LambdaRequest {
  readonly headers?: Readonly<Record<string, string | undefined>> | null;
  readonly body?: string | null;
  readonly isBase64Encoded?: boolean;
  readonly httpMethod?: string;
  readonly requestContext?: { readonly http?: { readonly method?: string } };
}

export interface LambdaAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

type LambdaHandler = (event: LambdaRequest) => Promise<LambdaAnswer>;

export interface LambdaHandlers {
  /** One upload URL. */
  readonly presign: LambdaHandler;
  /** Up to 1,000 download URLs. */
  readonly presignBatch: LambdaHandler;
}

/** Makes the handlers; one cold start derives one key. @throws TypeError */
export function createLambdaHandlers(config: EdgeSignerConfig): LambdaHandlers {
  const signer = new EdgeSigner(config);
  return {
    presign: async (event) => asLambda(await signer.presignUpload(requestOf(event))),
    presignBatch: async (event) => asLambda(await signer.presignDownloads(requestOf(event))),
  };
}

function requestOf(event: LambdaRequest): EdgeRequest {
  const { headers, body } = event;
  const named = Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === 'authorization');
  return {
    method: event.requestContext?.http?.method ?? event.httpMethod ?? 'POST',
    authorization: named?.[1],
    body: event.isBase64Encoded === true ? decoded(body ?? '') : (body ?? ''),
  };
}

/** What is no base64 is no JSON either, and is refused as that. */
function decoded(text: string): string {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.replace(/=+$/, '').length % 4 === 1) return '';
  return new TextDecoder().decode(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
}

function asLambda({ status, headers, body }: EdgeAnswer): LambdaAnswer {
  return { statusCode: status, headers, body };
}

export interface S3EventOptions {
  /** The service's `POST /events/s3`. */
  readonly url: string;
  /** Its shared secret. */
  readonly secret: string;
  /** How long the service may take. Default 10 s. */
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
}

/** As S3 sends it; what is in it the service reads. */
export interface S3Event {
  readonly Records?: readonly unknown[];
}

/**
 * Makes the handler of S3's `ObjectCreated` events: the service completes the upload and makes its thumbnails. It fails
 * unless the service took it, so that Lambda tries again; told twice, the service does it once.
 */
export function createS3EventHandler(options: S3EventOptions): (event: S3Event) => Promise<void> {
  return async (event) => {
    if (!Array.isArray(event.Records)) throw new TypeError('this is no event of S3: it has no Records');
    const response = await (options.fetch ?? fetch)(options.url, {
      method: 'POST',
      headers: { authorization: `Bearer ${options.secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ Records: event.Records }),
      redirect: 'error',
      signal: AbortSignal.timeout(options.timeoutMs ?? 10_000),
    });
    if (!response.ok) throw new Error(`the service answered ${response.status} to the event`);
  };
}
