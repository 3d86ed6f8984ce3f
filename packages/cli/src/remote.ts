/** The service that file commands talk to: where it is, with which key, and requests whose errors are sentences. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReadArguments } from './read-arguments.ts';
import { UsageError } from './usage-error.ts';

/** The flags of every command that talks to a service. */
export const remoteFlags = { url: 'text', token: 'text', data: 'text', json: 'switch' } as const;

export const remoteHelp: Readonly<Record<string, string>> = {
  url: 'address of the service (or ROWLOCK_URL)',
  token: 'bearer token (or ROWLOCK_TOKEN)',
  data: 'folder of a `rowlock dev`, whose user key is taken otherwise (default ./.rowlock)',
  json: 'print JSON',
};

export class Remote {
  readonly url: string;
  readonly #token: string | undefined;

  constructor(url: string, token: string | undefined) {
    this.url = url.replace(/\/+$/, '');
    this.#token = token;
  }

  /** The URL of an object's route. */
  objectUrl(kind: string, bucket: string, name: string): string {
    return `${this.url}/storage/v1/${kind}/${encodeURIComponent(bucket)}/${name.split('/').map(encodeURIComponent).join('/')}`;
  }

  headers(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
    return { ...extra, ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }) };
  }

  /** A request below the service's address. @throws Error with the service's own sentence */
  async send(path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
    const target = path.startsWith('http') ? path : `${this.url}${path}`;
    let response: Response;
    try {
      response = await fetch(target, { ...init, headers: this.headers(init.headers) });
    } catch (cause) {
      throw new Error(`nothing answers at ${this.url}; is the service running? (rowlock dev)`, { cause });
    }
    if (!response.ok) {
      throw new Error(await sentence(response));
    }
    return response;
  }

  async json<T>(path: string, method = 'GET', body?: unknown): Promise<T> {
    const response = await this.send(path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    return (await response.json()) as T;
  }
}

async function sentence(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const { message, code } = JSON.parse(text) as { message?: string; code?: string };
    return `${message ?? response.statusText} (${response.status} ${code ?? ''})`;
  } catch {
    return `${response.status} ${response.statusText}`;
  }
}

/** Finds the service: flags, then variables, then the folder of a `rowlock dev`. @throws UsageError where there is none */
export function remoteOf(
  { flags }: ReadArguments,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Remote {
  const flag = (name: string): string | undefined =>
    typeof flags[name] === 'string' ? (flags[name] as string) : undefined;
  const url = flag('url') ?? env['ROWLOCK_URL'];
  const token = flag('token') ?? env['ROWLOCK_TOKEN'];
  if (url !== undefined) {
    return new Remote(url, token);
  }
  const file = join(flag('data') ?? '.rowlock', 'dev.json');
  if (!existsSync(file)) {
    throw new UsageError(
      'which service? Give --url and --token, set ROWLOCK_URL and ROWLOCK_TOKEN, or run this where `rowlock dev` has its .rowlock folder',
    );
  }
  const dev = JSON.parse(readFileSync(file, 'utf8')) as { url: string; authenticated_key: string };
  return new Remote(dev.url, token ?? dev.authenticated_key);
}

/** Splits `bucket/name`. @throws UsageError without a bucket */
export function splitPath(path: string): { readonly bucket: string; readonly name: string } {
  const [bucket = '', ...rest] = path.replace(/^rl:\/\//, '').split('/');
  if (bucket === '') {
    throw new UsageError(`"${path}" names no bucket; write bucket/name`);
  }
  return { bucket, name: rest.join('/') };
}
