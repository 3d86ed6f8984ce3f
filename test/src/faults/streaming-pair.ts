/**
 * Two real PostgreSQL servers of our own: a primary, and a hot standby that replays what the primary writes. The standby is
 * made by a base backup that is a copy of the folder between two calls, since the embedded package brings no
 * pg_basebackup. It knows nothing of Rowlock.
 */
import { execFile } from 'node:child_process';
import { appendFile, copyFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '@rowlock/test-harness';
import pg from 'pg';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../packages/cli/dist/dev/embedded/embedded-postgres.js';
import { platformPackageIn } from '../../../packages/cli/dist/dev/embedded/platform-package.js';

const run = promisify(execFile);

export interface StreamingPair {
  readonly primary: EmbeddedPostgres;
  readonly standby: EmbeddedPostgres;
  stop(): Promise<void>;
}

/** Starts both; the standby is a copy of the primary as `prepared` left it. */
export async function startStreamingPair(prepared: (primaryUrl: string) => Promise<void>): Promise<StreamingPair> {
  const folder = temporaryFolder({ mode: 0o711 });
  const other = process.env['ROWLOCK_TEST_POSTGRES'] ?? '';
  const platformPackage = other === '' ? undefined : await platformPackageIn(other, other);
  const settings = { fsync: 'off', full_page_writes: 'on', max_connections: 60, shared_buffers: '32MB' };
  const primary = await startEmbeddedPostgres({
    dataDir: join(folder, 'primary'),
    ephemeral: true,
    settings,
    platformPackage,
  });
  try {
    await prepared(primary.url);
    const copied = join(dirname(primary.dataDir), 'standby');
    await backUp(primary, copied);
    await copyFile(join(folder, 'primary.password'), `${copied}.password`);
    const standby = await startEmbeddedPostgres({ dataDir: copied, ephemeral: true, settings, platformPackage });
    return {
      primary,
      standby,
      async stop() {
        await standby.stop('immediate');
        await primary.stop('immediate');
      },
    };
  } catch (error) {
    await primary.stop('immediate');
    throw error;
  }
}

async function backUp(primary: EmbeddedPostgres, to: string): Promise<void> {
  const client = new pg.Client({ connectionString: primary.url });
  await client.connect();
  try {
    await client.query("SELECT pg_backup_start('standby', true)");
    await run('cp', ['-a', primary.dataDir, to]);
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
    await rm(join(to, 'postmaster.pid'), { force: true });
    await writeFile(join(to, 'backup_label'), rows[0]?.labelfile ?? '');
    await writeFile(join(to, 'standby.signal'), '');
    const { hostname, port, username, password } = new URL(primary.url);
    const conninfo = `host=${hostname} port=${port} user=${username} password=${password} application_name=standby`;
    await appendFile(join(to, 'postgresql.auto.conf'), `\nprimary_conninfo = '${conninfo}'\n`);
    await run('chown', ['--reference', primary.dataDir, '-R', to]);
  } finally {
    await client.end();
  }
}
