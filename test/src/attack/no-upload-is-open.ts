/**
 * Waits for what is left of uploads whose connection broke. A connection may break while its upload is only beginning, so
 * one look is not enough. It looks only; what remains open is for others to judge.
 */
import { until } from '@rowlock/test-harness';
import type { Attacked } from './standing.ts';

const looks = 5;

/** Returns when every intent was committed or given up, and no new one has come for a few looks. */
export async function noUploadIsOpen({ database }: Attacked): Promise<void> {
  let quiet = 0;
  await until(
    async () => {
      const open = await database.query(
        `SELECT FROM storage.uploads UNION ALL SELECT FROM pg_stat_activity
         WHERE application_name = 'rowlock api' AND datname = current_database() AND state <> 'idle'`,
      );
      quiet = open.length === 0 ? quiet + 1 : 0;
      return quiet >= looks;
    },
    { what: 'no upload is open' },
  );
}
