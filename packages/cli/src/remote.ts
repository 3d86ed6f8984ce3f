/** The service that file commands talk to: where it is and with which key. The requests are the client's. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient, type StorageClient } from '@rowlock/client';
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

/** Finds the service: flags, then variables, then the folder of a `rowlock dev`. @throws UsageError where there is none */
export function remoteOf(
  { flags }: ReadArguments,
  env: Readonly<Record<string, string | undefined>> = process.env,
  devKeyName: 'authenticated_key' | 'service_key' = 'authenticated_key',
): StorageClient {
  const flag = (name: string): string | undefined =>
    typeof flags[name] === 'string' ? (flags[name] as string) : undefined;
  const url = flag('url') ?? env['ROWLOCK_URL'];
  const token = flag('token') ?? env['ROWLOCK_TOKEN'];
  if (url !== undefined) {
    return createClient({ url, token });
  }
  const file = join(flag('data') ?? '.rowlock', 'dev.json');
  if (!existsSync(file)) {
    throw new UsageError(
      'which service? Give --url and --token, set ROWLOCK_URL and ROWLOCK_TOKEN, or run this where `rowlock dev` has its .rowlock folder',
    );
  }
  const dev = JSON.parse(readFileSync(file, 'utf8')) as Record<'url' | typeof devKeyName, string>;
  return createClient({ url: dev.url, token: token ?? dev[devKeyName] });
}

/** Splits `bucket/name`. @throws UsageError without a bucket */
export function splitPath(path: string): { readonly bucket: string; readonly name: string } {
  const [bucket = '', ...rest] = path.replace(/^rl:\/\//, '').split('/');
  if (bucket === '') {
    throw new UsageError(`"${path}" names no bucket; write bucket/name`);
  }
  return { bucket, name: rest.join('/') };
}
