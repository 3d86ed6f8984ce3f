/**
 * Asks a classifier of the operator's over HTTP what is in a file: POSTs its bytes, or a URL that reads them, and takes a small
 * JSON object for an answer. The endpoint is configured, never named by a caller. Invariant: nothing else is spoken to, whatever
 * the endpoint answers: no redirect is followed, and what it sends is bounded in bytes and time.
 */
import { Readable } from 'node:stream';

export interface ClassifierOptions {
  /** An http or https URL without user and password. */
  readonly url: string;
  /** `url`: a JSON object with a URL that reads the file for an hour. `bytes`: the file itself. Default `url`. */
  readonly sends?: 'url' | 'bytes';
  /** Sent as a bearer token. */
  readonly secret?: string | undefined;
  /** How long one answer may take, in milliseconds. Default 60,000. */
  readonly timeoutMs?: number;
  /** The largest file that is sent as bytes. Default 100 MiB. */
  readonly bytesMax?: number;
}

/** What is told of a file. */
export interface FileToClassify {
  readonly version_id: string;
  readonly bucket: string | null;
  readonly name: string | null;
  readonly size: number;
  readonly content_type: string;
  readonly detected_type: string | null;
  open(): Promise<Readable>;
  url(expirySeconds: number): Promise<string>;
}

/**
 * `away`: nobody answered in time, or with 5xx, 408 or 429: it is worth another try. `refused`: it answered something else, or
 * what is no JSON object of at most 32 KiB; or the file is too large.
 */
export class ClassifyError extends Error {
  readonly failure: 'away' | 'refused';

  constructor(failure: 'away' | 'refused', message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ClassifyError';
    this.failure = failure;
  }
}

const answerBytesMax = 32 * 2 ** 10;
const urlSeconds = 3600;

/** Whether a classifier may be configured with this URL. */
export function isEndpoint(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

/** A classifier at one endpoint. */
export class HttpClassifier {
  readonly #options: Required<Omit<ClassifierOptions, 'secret'>> & { readonly secret?: string | undefined };

  /** @throws TypeError for a URL that no classifier has */
  constructor(options: ClassifierOptions) {
    if (!isEndpoint(options.url))
      throw new TypeError('A classifier has an http or https URL without user and password');
    this.#options = { sends: 'url', timeoutMs: 60_000, bytesMax: 100 * 2 ** 20, ...options };
  }

  /** What the classifier says of a file, as it says it. @throws ClassifyError */
  async classify(file: FileToClassify, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    const response = await this.#post(file, AbortSignal.any([signal, AbortSignal.timeout(this.#options.timeoutMs)]));
    const text = await boundedText(response);
    const { status } = response;
    if (status >= 500 || status === 408 || status === 429) {
      throw new ClassifyError('away', `the classifier answered ${status}`);
    }
    if (status < 200 || status > 299) {
      throw new ClassifyError('refused', `the classifier answered ${status}`);
    }
    return jsonObject(text);
  }

  async #post(file: FileToClassify, signal: AbortSignal): Promise<Response> {
    const { url, sends, bytesMax } = this.#options;
    if (sends === 'bytes' && file.size > bytesMax) {
      throw new ClassifyError('refused', `files over ${bytesMax} bytes are not sent to the classifier`);
    }
    const stream = sends === 'bytes' ? await file.open() : undefined;
    const body = stream === undefined ? JSON.stringify(await described(file)) : Readable.toWeb(stream);
    try {
      return await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        headers: this.#headers(file),
        body,
        signal,
        ...(stream === undefined ? {} : { duplex: 'half' }),
      } as RequestInit);
    } catch (cause) {
      stream?.destroy();
      throw new ClassifyError('away', 'the classifier cannot be reached', { cause });
    }
  }

  #headers(file: FileToClassify): Record<string, string> {
    const { sends, secret } = this.#options;
    return {
      'content-type': sends === 'bytes' ? file.content_type : 'application/json',
      accept: 'application/json',
      // What is compressed could be any size.
      'accept-encoding': 'identity',
      'x-rowlock-version': file.version_id,
      ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
    };
  }
}

async function described({ open: _, url, ...file }: FileToClassify): Promise<Readonly<Record<string, unknown>>> {
  return { ...file, url: await url(urlSeconds) };
}

/** @throws ClassifyError `refused` for more than an answer has; `away` where it breaks off */
async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      length += chunk.byteLength;
      if (length > answerBytesMax) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    throw new ClassifyError('away', 'the answer of the classifier did not come to its end', { cause });
  }
  if (length > answerBytesMax) {
    throw new ClassifyError('refused', `the classifier answered more than ${answerBytesMax} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** @throws ClassifyError `refused` */
function jsonObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ClassifyError('refused', 'the classifier answered no JSON', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ClassifyError('refused', 'the classifier answered JSON that is no object');
  }
  return value as Readonly<Record<string, unknown>>;
}
