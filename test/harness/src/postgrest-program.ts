/**
 * The real PostgREST for tests: a program of this machine, started on a free port beside a test's database, with the secret
 * of the tests' tokens. It is not downloaded; whoever has one says where it is.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from './free-port.ts';
import type { MigratedDatabase } from './migrated-database.ts';
import type { Postgrest, PostgrestAnswer, PostgrestRequest } from './postgrest.ts';
import { jwtSecret, signToken } from './tokens.ts';
import { until } from './until.ts';

/** Starts the program; resolves when it answers. */
export async function startPostgrestProgram(program: string, database: MigratedDatabase): Promise<Postgrest> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(program, [], {
    stdio: 'ignore',
    env: {
      ...process.env,
      PGRST_DB_URI: database.apiUrl,
      PGRST_DB_SCHEMAS: 'public',
      PGRST_DB_ANON_ROLE: 'anon',
      PGRST_DB_POOL: '10',
      PGRST_JWT_SECRET: jwtSecret,
      PGRST_SERVER_HOST: '127.0.0.1',
      PGRST_SERVER_PORT: String(port),
    },
  });
  const isUp = async (): Promise<boolean> => (await fetch(url).catch(() => undefined))?.ok === true;
  await until(isUp, { what: 'PostgREST answers', timeoutMs: 30_000, intervalMs: 100 });
  return {
    isReal: true,
    ask: (request) => askOverHttp(url, request),
    async reload() {
      await database.query("NOTIFY pgrst, 'reload schema'");
      await until(isUp, { what: 'PostgREST has looked at the schema' });
    },
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

async function askOverHttp(url: string, request: PostgrestRequest): Promise<PostgrestAnswer> {
  const { method, path, query = {}, body, as } = request;
  const headers = new Headers(request.headers);
  if (as !== undefined) headers.set('authorization', `Bearer ${await signToken(as)}`);
  if (body !== undefined && !headers.has('content-type')) {
    headers.set('content-type', Buffer.isBuffer(body) ? 'application/octet-stream' : 'application/json');
  }
  const sent = Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body);
  const answer = await fetch(`${url}${path}?${new URLSearchParams(query)}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: sent ?? '' }),
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  return {
    status: answer.status,
    headers: Object.fromEntries(answer.headers),
    bytes,
    json: <T>() => JSON.parse(bytes.toString('utf8')) as T,
  };
}
