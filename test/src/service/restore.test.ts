/**
 * F16: a database from one time with blobs from another, both ways round. fsck lists exactly what is missing and what is too
 * much, a repair by default takes nothing that a matching half could still need, and the matching halves agree.
 */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Database, type FsckReport, fsck, openBackend } from '@rowlock/server';
import { performJob, temporaryFolder, until } from '@rowlock/test-harness';
import pg from 'pg';
import { entriesBelow, type FsckSite, startFsckSite } from './fsck-site.ts';

interface Moment {
  readonly database: string;
  readonly blobs: string;
}

describe('F16 a restore whose halves are of different times', () => {
  const folder = temporaryFolder();
  let site: FsckSite;
  let early: Moment;
  let late: Moment;
  let keys: Record<'kept' | 'deleted' | 'overwritten' | 'replacement' | 'created', string>;

  async function keepMoment(name: string): Promise<Moment> {
    const { database, root } = site.service;
    const moment = { database: `${database.name}_${name}`, blobs: join(folder, name) };
    const admin = new pg.Client({ connectionString: at(database.url, 'postgres') });
    await admin.connect();
    const others = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1';
    // Whoever was connected comes back by itself; PostgreSQL copies only what nobody uses.
    const copy = async (): Promise<boolean> => {
      await admin.query(others, [database.name]);
      return await admin.query(`CREATE DATABASE ${moment.database} TEMPLATE ${database.name}`).then(
        () => true,
        (error: { code?: string }) => {
          if (error.code !== '55006') throw error;
          return false;
        },
      );
    };
    await until(copy, { timeoutMs: 30_000, what: 'the database is copied' });
    await admin.end();
    cpSync(root, moment.blobs, { recursive: true, preserveTimestamps: true });
    return moment;
  }

  const at = (url: string, database: string): string => Object.assign(new URL(url), { pathname: `/${database}` }).href;

  async function check(rows: Moment, bytes: Moment, options: Parameters<typeof fsck>[1] = {}): Promise<FsckReport> {
    const url = at(site.service.database.workerUrl, rows.database);
    const db = new Database({ url, connectionsMax: 2, statementTimeoutMs: 30_000, applicationName: 'restore' });
    const backend = await openBackend({ ...site.service.config.backend, root: bytes.blobs });
    try {
      return await fsck({ db, backend }, options);
    } finally {
      await db.close();
    }
  }

  const missing = ({ findings }: FsckReport): string[] =>
    findings.filter(({ kind }) => kind === 'missing').map(({ key }) => key);

  before(async () => {
    site = await startFsckSite({ workers: false });
    for (const name of ['kept', 'deleted', 'overwritten']) await site.put(name, `bytes of ${name}`);
    const ofEarly = {
      kept: (await site.versionOf('kept')).key,
      deleted: (await site.versionOf('deleted')).key,
      overwritten: (await site.versionOf('overwritten')).key,
    };
    early = await keepMoment('early');
    await site.put('created', 'bytes');
    for (const [name, method] of [
      ['deleted', 'DELETE'],
      ['overwritten', 'PUT'],
    ] as const) {
      const body = method === 'PUT' ? { body: 'new bytes' } : {};
      const { status } = await site.service.fetch(`/storage/v1/object/box/${name}`, { as: 'ann', method, ...body });
      assert.equal(status, 200);
    }
    await purgeAll();
    keys = {
      ...ofEarly,
      replacement: (await site.versionOf('overwritten')).key,
      created: (await site.versionOf('created')).key,
    };
    late = await keepMoment('late');
  });
  after(async () => {
    const { database } = site.service;
    for (const { database: name } of [early, late]) await database.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await site.stop();
  });

  async function purgeAll(): Promise<void> {
    const due = await site.service.database.query<{ id: string }>(
      'SELECT id FROM storage.versions AS v WHERE NOT storage_internal.version_is_referenced(v.id)',
    );
    await performJob(site.parts, 'version_purge', { version_ids: due.map(({ id }) => id) });
  }

  test('the halves of one time agree', async () => {
    assert.equal((await check(early, early, { scrub: true })).left, 0);
    assert.equal((await check(late, late, { scrub: true })).left, 0);
  });

  for (const [name, moments, lost, extra] of [
    ['an older database with newer blobs', () => [early, late], ['deleted', 'overwritten'], ['created', 'replacement']],
    ['a newer database with older blobs', () => [late, early], ['created', 'replacement'], ['deleted', 'overwritten']],
  ] as const) {
    test(`${name}: what is missing and what is too much is listed exactly`, async () => {
      const [rows, bytes] = moments() as [Moment, Moment];

      const report = await check(rows, bytes, { pageSize: 1 });

      assert.deepEqual(missing(report).sort(), lost.map((each) => keys[each]).sort());
      assert.deepEqual([...report.bytes_without_row].sort(), extra.map((each) => keys[each]).sort());
      assert.equal(report.left, 4);
    });

    test(`${name}: a repair takes nothing that a matching half could need`, async () => {
      const [rows, bytes] = moments() as [Moment, Moment];
      const below = entriesBelow(bytes.blobs);

      const report = await check(rows, bytes, { repair: true });

      assert.deepEqual([report.repaired, report.left], [0, 4]);
      assert.deepEqual(entriesBelow(bytes.blobs), below);
      assert.equal((await check(bytes, bytes, { scrub: true })).left, 0, 'its own database still fits');
    });
  }
});
