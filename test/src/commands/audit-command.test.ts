/** `rowlock audit`, as an operator runs it: a process, the worker's own database role, and a log that somebody attacked. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createMigratedDatabase, type MigratedDatabase } from '@rowlock/test-harness';

const program = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url));

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe('rowlock audit', () => {
  let database: MigratedDatabase;

  before(async () => {
    database = await createMigratedDatabase();
    await database.query(`INSERT INTO storage.audit_log
        (occurred_at, request_id, address, role, subject, operation, bucket_id, name, outcome, reason)
      VALUES
        (now() - interval '2 days', 'old', '192.0.2.1', 'authenticated', 'alice', 'storage.object.deleted', 'photos', 'a.jpg', 'done', NULL),
        (now(), 'new', '192.0.2.2', 'authenticated', 'bob', 'storage.object.created', 'photos', 'b.jpg', 'done', NULL),
        (now(), 'bad', '192.0.2.3', 'anon', NULL, 'GET /x', 'secret', E'a\\nforged  done\\u001b[2J\\u202e\\u2028\\\\x', 'refused', 'auth_required')`);
  });
  after(async () => await database.drop());

  async function audit(...args: readonly string[]): Promise<Ran> {
    const env = { PATH: process.env['PATH'] ?? '', WORKER_DATABASE_URL: database.workerUrl };
    return await new Promise((resolve) => {
      execFile(process.execPath, [program, 'audit', ...args], { env }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
    });
  }

  const requests = (out: string): unknown[] =>
    out
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { request_id: unknown }).request_id);

  test('shows the newest first, and only what was asked for', async () => {
    const all = await audit('--json', '--limit', '3');
    const recent = await audit('--json', '--since', '1d', '--limit', '2');
    const alices = await audit('--json', '--subject', 'alice');
    const refused = await audit('--json', '--outcome', 'refused', '--bucket', 'secret');

    assert.equal(all.code, 0, all.err);
    assert.deepEqual(requests(all.out), ['bad', 'new', 'old']);
    assert.deepEqual(requests(recent.out), ['bad', 'new']);
    assert.deepEqual(requests(alices.out), ['old']);
    assert.deepEqual(requests(refused.out), ['bad']);
  });

  test('an entry is one line without control characters, whatever somebody sent as a name', async () => {
    const { out } = await audit('--request', 'bad');

    assert.equal(out.split('\n').length, 2);
    assert.match(out, /^[\x20-\x7e]+\n$/);
    assert.ok(out.includes('secret  a\\u{a}forged') || out.includes('secret/a\\u{a}forged'), out);
    assert.ok(out.includes('\\u{1b}[2J\\u{202e}\\u{2028}\\\\x'), out);
  });

  test('what it cannot read is refused with advice', async () => {
    for (const args of [
      ['--since', 'yesterday-ish'],
      ['--outcome', 'maybe'],
      ['--limit', '0'],
    ]) {
      const { code, err } = await audit(...args);

      assert.equal(code, 2, args.join(' '));
      assert.match(err, new RegExp(args[0] ?? ''));
    }
  });
});
