/**
 * Runs one benchmark, which starts what it needs, and ends with its exit code. It measures nothing itself.
 */
import { join } from 'node:path';
import { runProgram } from '../setup/run-program.mjs';
import { setup } from '../setup/setup.mjs';
import { root } from '../setup/workspace.mjs';

/**
 * Sets up, then runs `bench/dist/main.js` with the arguments. The channel between the two tells the benchmark when this
 * process is gone; and a benchmark that npm runs ends with npm.
 */
export async function runBench(args) {
  await setup();
  if (process.env.npm_lifecycle_event !== undefined) endWithParent();
  const stdio = ['inherit', 'inherit', 'inherit', 'ipc'];
  process.exit(await runProgram(process.execPath, [join(root, 'bench', 'dist', 'main.js'), ...args], { stdio }));
}

/** A signal to this process goes on to the benchmark. */
function endWithParent() {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM');
  }, 1000).unref();
}
