/**
 * Runs one benchmark, which starts what it needs, and ends with its exit code. It measures nothing itself.
 */
import { join } from 'node:path';
import { runProgram } from '../setup/run-program.mjs';
import { setup } from '../setup/setup.mjs';
import { root } from '../setup/workspace.mjs';

/** Sets up, then runs `bench/dist/main.js` with the arguments. */
export async function runBench(args) {
  await setup();
  process.exit(await runProgram(process.execPath, [join(root, 'bench', 'dist', 'main.js'), ...args]));
}
