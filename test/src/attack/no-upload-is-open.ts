/** Waits for what is left of uploads whose connection broke. It looks only; what remains open is for others to judge. */
import { until } from '@rowlock/test-harness';
import type { Attacked } from './standing.ts';

/** Returns when every intent was committed or given up. */
export async function noUploadIsOpen({ database }: Attacked): Promise<void> {
  await until(async () => (await database.query('SELECT FROM storage.uploads')).length === 0, {
    what: 'no upload is open',
  });
}
