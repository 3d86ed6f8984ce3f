/**
 * Signature Version 4 of a query, written once more from its description, for URLs that no presigner would make: odd
 * expiries, other scopes, parameters twice. It takes what it is given, and is the second opinion on our own signer.
 */
import { createHash, createHmac } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';

export interface HandSigned {
  readonly method: string;
  /** As it goes over the wire, already encoded: it is signed and sent exactly so. */
  readonly path: string;
  readonly host: string;
  readonly access_key_id: string;
  readonly secret_access_key: string;
  readonly region?: string;
  readonly service?: string;
  readonly date?: Date;
  readonly expires?: string;
  /** Further parameters, not encoded; may repeat the signature's own. */
  readonly query?: readonly (readonly [string, string])[];
  /** Headers that are signed beside the host, and those that are not. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The names that the URL says are signed, where that is not the truth. */
  readonly signedHeaders?: string;
  readonly algorithm?: string;
}

const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Returns the path and query that are signed. */
export function handSigned(ask: HandSigned): string {
  const { region = 'us-east-1', service = 's3', date = new Date(), expires = '300', headers = {} } = ask;
  const time = `${date.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const signed = Object.entries({ ...headers, host: ask.host }).sort(([a], [b]) => (a < b ? -1 : 1));
  const names = ask.signedHeaders ?? signed.map(([name]) => name).join(';');
  const pairs: readonly (readonly [string, string])[] = [
    ['X-Amz-Algorithm', ask.algorithm ?? 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', `${ask.access_key_id}/${scope}`],
    ['X-Amz-Date', time],
    ['X-Amz-Expires', expires],
    ['X-Amz-SignedHeaders', names],
    ...(ask.query ?? []),
  ];
  const query = pairs
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const covered = signed.filter(([name]) => names.split(';').includes(name));
  const lines = covered.map(([name, value]) => `${name}:${value}\n`).join('');
  const canonical = `${ask.method}\n${ask.path}\n${query}\n${lines}\n${names}\nUNSIGNED-PAYLOAD`;
  const hash = createHash('sha256').update(canonical).digest('hex');
  let key: string | Buffer = `AWS4${ask.secret_access_key}`;
  for (const part of scope.split('/')) key = hmac(key, part);
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash}`).toString('hex');
  return `${ask.path}?${query}&X-Amz-Signature=${signature}`;
}

export interface PlainAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** Sends a request whose path no library may tidy up, and reads the answer. */
export function sendPlainly(
  base: string,
  ask: {
    readonly method: string;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  },
): Promise<PlainAnswer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(base);
    const { method, path, body } = ask;
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const sent = request({ hostname, port, method, path, headers: { ...length, ...ask.headers } });
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
      response.on('error', reject);
    });
    sent.on('error', reject).end(body);
  });
}
