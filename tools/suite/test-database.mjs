/**
 * Gives a run of tests its one PostgreSQL server and tells the test processes
 * where it is. A server that somebody else provides is used as it is.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../setup/workspace.mjs';

/**
 * Sets ROWLOCK_TEST_DATABASE_URL, from DATABASE_URL or to an embedded server, and returns how to stop that.
 *
 * Stopping takes the server's data with it.
 */
export async function provideDatabase(signal) {
  const given = process.env.ROWLOCK_TEST_DATABASE_URL || process.env.DATABASE_URL;
  if (given) {
    process.env.ROWLOCK_TEST_DATABASE_URL = given;
    return async () => {};
  }
  const { startTestServer } = await importHarness();
  const server = await startTestServer({ signal });
  process.env.ROWLOCK_TEST_DATABASE_URL = server.url;
  return () => server.stop();
}

/** The test harness, which exists only after the setup. */
export function importHarness() {
  return import(pathToFileURL(join(root, 'test', 'harness', 'dist', 'index.js')).href);
}
