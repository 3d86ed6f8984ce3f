/**
 * Tests of scans that meet something else: a scanner that gave up, a deletion, a move, a copy. They are cases of
 * `scanned-files.test.ts` and run on its site, because a clamd of their own would cost more than they do.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eicar, until } from '@rowlock/test-harness';
import pg from 'pg';
import { type Check, type ScannedSite, scannedBytesMax } from './scanned-site.ts';

/** Registers them; the site is asked for when they run. */
export function scansThatCross(running: () => ScannedSite): void {
  test('30 a scan that gave up is asked for again while nobody may read the file, and who operates this is told', () =>
    asksAgain(running()));
  test('30 nobody is told to wait for checks of what is in quarantine, or is gone', () =>
    healthCountsWhatWaits(running()));
  test('30 a scan that ends while its file is moved to where only the scanned is read counts', () =>
    scanCrossesMove(running()));
  test('30 who copies a file learns nothing of what was found in it', () => copiesTellNothing(running()));
}

async function asksAgain(site: ScannedSite): Promise<void> {
  await site.upload('waiting/unlucky.txt', 'harmless');
  await site.upload('waiting/huge.bin', new Uint8Array(scannedBytesMax + 1), 'application/octet-stream');
  const [{ version }, huge] = [await site.found('waiting/unlucky.txt'), await site.found('waiting/huge.bin')];
  await site.sql(
    `UPDATE storage.versions SET quarantined_at = now(), quarantine_cause = 'not_scanned', quarantine_reason = 'x'
     WHERE id = $1`,
    [version],
  );
  const gaveUp = async (id: string, minutes: number): Promise<unknown> =>
    await site.sql(
      `UPDATE storage.version_checks SET status = 'error', requested_at = now() - interval '2 days',
         checked_at = now() - make_interval(mins => $2)
       WHERE version_id = $1`,
      [id, minutes],
    );
  const requeue = async (): Promise<unknown> =>
    (await site.sql<{ n: string }>('SELECT storage_internal.requeue_checks(10) AS n'))[0]?.n;
  await gaveUp(huge.version, 120);
  await gaveUp(version, 10);

  const soon = [await requeue(), await site.unchecked()];
  await gaveUp(version, 120);
  const later = [await requeue(), await requeue(), await site.unchecked()];
  const check = await site.found('waiting/unlucky.txt');

  assert.deepEqual(
    [soon, later],
    [
      ['0', 1],
      ['1', '0', 0],
    ],
  );
  assert.deepEqual([check.status, (await site.read('bob', 'waiting/unlucky.txt'))[0]], ['clean', 200]);
  assert.deepEqual(
    [(huge.detail as { final?: boolean }).final, (await site.found('waiting/huge.bin')).status],
    [true, 'error'],
  );
}

async function healthCountsWhatWaits(site: ScannedSite): Promise<void> {
  await site.upload('watched/unasked.txt', eicar());
  await site.upload('plain/gone.txt', 'soon gone');
  const infected = await site.found('watched/unasked.txt');
  const [gone] = await site.sql<{ id: string }>("SELECT version_id AS id FROM storage.objects WHERE name = 'gone.txt'");
  const left = async (id: string | undefined, kind: string): Promise<unknown> =>
    await site.sql(
      "INSERT INTO storage.version_checks (version_id, kind, requested_at) VALUES ($1, $2, now() - interval '1 hour')",
      [id, kind],
    );
  await left(infected.version, 'word_count');
  await left(gone?.id, 'file_scan');
  // A URL is still out: its row stays as a tombstone.
  await site.sql("UPDATE storage.versions SET put_until = now() + interval '1 hour' WHERE id = $1", [gone?.id]);

  const before = await site.unchecked();
  await site.call('ann', 'DELETE', '/object/plain/gone.txt');
  const [purged] = await until(
    async () => {
      const rows = await site.sql("SELECT state FROM storage.versions WHERE id = $1 AND state = 'gone'", [gone?.id]);
      return rows.length === 1 ? rows : undefined;
    },
    { what: 'its bytes are purged' },
  );
  const after = await site.unchecked();
  await site.sql('DELETE FROM storage.version_checks WHERE version_id = $1', [gone?.id]);

  assert.deepEqual([before, purged, after], [1, { state: 'gone' }, 0]);
}

async function scanCrossesMove(site: ScannedSite): Promise<void> {
  await site.upload('plain/crossing.txt', 'harmless');
  const [object] = await site.sql<{ version: string }>(
    "SELECT version_id AS version FROM storage.objects WHERE name = 'crossing.txt'",
  );
  const scan = new pg.Client({ connectionString: site.service.database.workerUrl });
  await scan.connect();
  await scan.query('BEGIN');
  await scan.query("SELECT storage_internal.check_ended($1, 'file_scan', 'clean', NULL)", [object?.version]);
  const to = { bucketId: 'plain', sourceKey: 'crossing.txt', destinationBucket: 'waiting' };

  const moving = site.call('ann', 'POST', '/object/move', { ...to, destinationKey: 'crossing.txt' });
  const waits = `SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND usename = 'rowlock_authenticator'`;
  await until(async () => (await site.sql(waits)).length > 0, { what: 'the move waits for the scan' });
  await scan.query('COMMIT');
  await scan.end();

  assert.equal((await moving).status, 200);
  assert.deepEqual(await site.read('bob', 'waiting/crossing.txt'), [200, 'harmless']);
}

async function copiesTellNothing(site: ScannedSite): Promise<void> {
  await site.upload('watched/minutes.txt', 'harmless');
  await site.found('watched/minutes.txt');
  await site.bucket('copies', {}, 'bob');
  const to = { bucketId: 'watched', sourceKey: 'minutes.txt', destinationBucket: 'copies' };
  const checks = async (as: string, path: string): Promise<unknown> =>
    (await (await site.call(as, 'GET', `/object/checks/${path}`)).json()) as Check[];

  const copied = await site.call('bob', 'POST', '/object/copy', { ...to, destinationKey: 'mine.txt' });
  const byCopy = await checks('bob', 'copies/mine.txt');
  const byService = (await checks('service', 'copies/mine.txt')) as Check[];

  assert.deepEqual([copied.status, byCopy, byService.length], [200, [], 1]);
}
