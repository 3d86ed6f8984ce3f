/** Runs one command beside a temporary PostgreSQL server for tests. */
import { runProgram } from '../setup/run-program.mjs';
import { setup } from '../setup/setup.mjs';
import { provideDatabase } from './test-database.mjs';

/** Sets up, runs the command with ROWLOCK_TEST_DATABASE_URL set, and ends the process with its exit code. */
export async function withPostgres([command, ...args]) {
  if (command === undefined) {
    console.error('usage: node tools/with-postgres.mjs COMMAND [ARGUMENT…]');
    process.exit(2);
  }
  await setup();
  const stopDatabase = await provideDatabase();
  let code = 1;
  try {
    code = await runProgram(command, args);
  } finally {
    await stopDatabase();
  }
  process.exit(code);
}
