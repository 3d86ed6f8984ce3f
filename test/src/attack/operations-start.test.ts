/**
 * Row 124 of the list of attacks: what an operator may have left open. `rowlock doctor` fails on it and `rowlock serve`
 * does not start with it, in production as everywhere.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createMigratedDatabase, type MigratedDatabase, temporaryFolder } from '@rowlock/test-harness';

const program = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url));
const strong = {
  JWT_SECRET: 'Zk3-tokens-9fQ2mLx7Rb1Vw8Yt5Hc0Jd4Ge6',
  SIGNED_URL_SECRET: 'Pq7-urls-2nXv5Bz8Kd1Ws4Tf9Ry6Lm3Hj0Gc',
  S3_SECRET_ACCESS_KEY: 'Uw1-s3-6eRt9Yp2As5Df8Gh1Jk4Lz7Xc0VbN3M',
} as const;
const owner = `attack_owner_${process.pid}`;
const bypass = `attack_bypass_${process.pid}`;
const superuser = `attack_superuser_${process.pid}`;
const login = `attack_login_${process.pid}`;

let database: MigratedDatabase;
let good: Readonly<Record<string, string>>;

before(async () => {
  database = await createMigratedDatabase();
  await database.query(`
    CREATE ROLE ${owner} LOGIN PASSWORD 'test' IN ROLE rowlock_owner, anon, authenticated, service_role;
    CREATE ROLE ${superuser} SUPERUSER NOLOGIN;
    CREATE ROLE ${login} LOGIN NOINHERIT PASSWORD 'test' IN ROLE anon, authenticated, service_role, ${superuser};
    CREATE ROLE ${bypass} LOGIN PASSWORD 'test' BYPASSRLS IN ROLE anon, authenticated, service_role;
  `);
  good = {
    NODE_ENV: 'production',
    API_DATABASE_URL: database.apiUrl,
    WORKER_DATABASE_URL: database.workerUrl,
    STORAGE_ROOT: temporaryFolder(),
    S3_ACCESS_KEY_ID: 'ROWLOCKKEY',
    PORT: '0',
    ...strong,
  };
  chmodSync(good['STORAGE_ROOT'] ?? '', 0o700);
});
after(async () => {
  await database.query(`DROP ROLE ${owner}, ${bypass}, ${login}, ${superuser}`);
  await database.drop();
});

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function doctor(changes: Readonly<Record<string, string>>): Promise<Ran> {
  const env = { PATH: process.env['PATH'] ?? '', ...good, ...changes };
  return new Promise((resolve) => {
    execFile(process.execPath, [program, 'doctor', '--json'], { env }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

/** Starts the service and stops it as soon as it is ready; one that refuses ends by itself. */
function serve(changes: Readonly<Record<string, string>>, flags: readonly string[] = []): Promise<Ran> {
  const env = { PATH: process.env['PATH'] ?? '', ...good, ...changes };
  const child = spawn(process.execPath, [program, 'serve', ...flags], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    if (out.includes('ready')) child.kill('SIGTERM');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code: code ?? -1, out, err }));
  });
}

interface Found {
  readonly check: string;
  readonly state: 'ok' | 'warn' | 'fail';
}

const found = ({ out }: Ran, state: Found['state']): string[] =>
  (JSON.parse(out) as Found[]).filter((each) => each.state === state).map(({ check }) => check);

test('124 a control: what is well configured starts, and doctor finds nothing', async () => {
  const [checked, started] = await Promise.all([doctor({}), serve({})]);

  assert.equal(checked.code, 0, checked.out);
  assert.deepEqual([found(checked, 'fail'), found(checked, 'warn')], [[], []]);
  assert.match(started.out, /^ready http:/, started.err);
  assert.deepEqual([started.code, started.err.includes('warning')], [0, false]);
});

function as(role: string): string {
  const url = new URL(database.apiUrl);
  url.username = role;
  url.password = 'test';
  return url.href;
}

/** What is wrong, what doctor calls it, and what to run with it. */
const unsafe: readonly (readonly [string, string, () => Readonly<Record<string, string>>])[] = [
  ['JWT_SECRET=secret', 'jwt-secret', () => ({ JWT_SECRET: 'secret' })],
  [
    'a JWT secret from a page that everybody reads',
    'jwt-secret',
    () => ({ JWT_SECRET: 'your-super-secret-jwt-token-with-at-least-32-characters-long' }),
  ],
  ['a word many times', 'signed-url-secret', () => ({ SIGNED_URL_SECRET: 'secret'.repeat(10) })],
  ['a previous secret that is weak', 'signed-url-previous-secret', () => ({ SIGNED_URL_PREVIOUS_SECRET: 'old' })],
  ['the secret of a demo store', 's3-secret-access-key', () => ({ S3_SECRET_ACCESS_KEY: 'minioadmin' })],
  ['one secret for two things', 'signed-url-secret', () => ({ SIGNED_URL_SECRET: strong.JWT_SECRET })],
  ['a superuser', 'api-database role', () => ({ API_DATABASE_URL: database.url })],
  ['the owner of the tables', 'api-database role', () => ({ API_DATABASE_URL: as(owner) })],
  ['a role that bypasses policies', 'api-database role', () => ({ API_DATABASE_URL: as(bypass) })],
  ['pages of every origin, among others', 'cors-origins', () => ({ CORS_ORIGINS: 'https://a.example,*' })],
  ['a role that is not there', 'application roles', () => ({ ALLOWED_ROLES: 'anon,authenticated,nobody_here' })],
  ['a superuser as a caller', 'application roles', () => ({ API_DATABASE_URL: as(login), DEFAULT_ROLE: superuser })],
];

describe('124 doctor fails and serve refuses', () => {
  for (const [what, check, changes] of unsafe) {
    test(`124 ${what}`, async () => {
      const [checked, started] = await Promise.all([doctor(changes()), serve(changes())]);

      assert.equal(checked.code, 3, checked.out);
      assert.ok(found(checked, 'fail').includes(check), checked.out);
      assert.ok(started.code === 1 || started.code === 2, `${started.code}: ${started.err}`);
      assert.equal(started.out, '', 'nothing was served');
      assert.ok(started.err.length < 2000 && !/\n\s+at /.test(started.err), started.err);
      for (const text of [started.err, checked.out]) {
        for (const secret of Object.values(strong)) assert.ok(!text.includes(secret), 'no secret is shown');
        assert.doesNotMatch(text, /postgres:\/\//);
      }
    });
  }

  test('124 row-level security that was turned off', async () => {
    await database.query('ALTER TABLE storage.objects DISABLE ROW LEVEL SECURITY');
    const [checked, started] = await Promise.all([doctor({}), serve({})]);
    await database.query('ALTER TABLE storage.objects ENABLE ROW LEVEL SECURITY');

    assert.deepEqual([checked.code, found(checked, 'fail')], [3, ['row-level security']]);
    assert.equal(started.out, '');
    assert.match(started.err, /row-level security: is off for storage\.objects/);
  });
});

test('124 for a trial, a superuser and every origin can be allowed, and are warned of', async () => {
  const changes = { API_DATABASE_URL: database.url, CORS_ORIGINS: '*' };

  const one = await serve(changes, ['--allow-superuser']);
  const both = await serve(changes, ['--allow-superuser', '--allow-any-origin']);

  assert.equal(one.out, '', 'each by its own flag');
  assert.match(both.out, /^ready/, both.err);
  assert.match(both.err, /warning: cors-origins.*warning: api-database role/s);
});

test('124 an address that others reach without TLS is warned of', async () => {
  const open = { HOST: '0.0.0.0' };
  const behind = { HOST: '0.0.0.0', PUBLIC_URL: 'https://files.example.com' };
  const plain = { PUBLIC_URL: 'http://files.example.com' };

  const [first, second, third, started] = await Promise.all([doctor(open), doctor(behind), doctor(plain), serve(open)]);

  assert.deepEqual(
    [first, second, third].map((each) => found(each, 'warn')),
    [['tls'], [], ['tls']],
  );
  assert.deepEqual([first.code, second.code], [0, 0]);
  assert.match(started.out, /^ready/);
  assert.match(started.err, /warning: tls: .*PUBLIC_URL/);
});

test('124 a secret that others can read is warned of: its file, the command line, the folder of the bytes', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'jwt-secret');
  writeFileSync(file, strong.JWT_SECRET, { mode: 0o644 });
  chmodSync(file, 0o644);
  chmodSync(folder, 0o755);
  const changes = { JWT_SECRET: '', JWT_SECRET_FILE: file, STORAGE_ROOT: folder };

  const open = await doctor(changes);
  const flag = await serve({ JWT_SECRET: '' }, ['--jwt-secret', strong.JWT_SECRET]);
  chmodSync(file, 0o600);
  chmodSync(folder, 0o700);
  const closed = await doctor(changes);

  assert.deepEqual(found(open, 'warn').sort(), ['jwt-secret file', 'storage']);
  assert.match(flag.err, /warning: jwt-secret flag: /);
  assert.deepEqual(found(closed, 'warn'), []);
});

test('with its workers the API starts or it does not: what they cannot start with stops it too', async () => {
  const workers = ['--with-workers'];

  const [scanner, unreached] = await Promise.all([
    serve({ CLAMD: 'http://scanner', API_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }, workers),
    serve({ WORKER_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }, workers),
  ]);

  assert.deepEqual([scanner.code, scanner.out], [2, '']);
  assert.match(scanner.err, /CLAMD is a path/);
  assert.deepEqual([unreached.code, unreached.out], [1, '']);
});
