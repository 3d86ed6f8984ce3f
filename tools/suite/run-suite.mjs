/**
 * Runs the compiled tests, each file in a process of its own, beside one
 * PostgreSQL server for all. It decides nothing about what a test may do.
 * Whatever happens, the server is stopped and temporary files are removed.
 */
import { setMaxListeners } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { followNpm } from '../setup/npm-parent.mjs';
import { setup } from '../setup/setup.mjs';
import { findTests } from './find-tests.mjs';
import { RequirementsReport } from './requirements-report.mjs';
import { runFiles } from './run-files.mjs';
import { suiteOptions } from './suite-options.mjs';
import { provideCeph } from './test-ceph.mjs';
import { importHarness, provideDatabase } from './test-database.mjs';

/** Sets up, runs the tests that the arguments choose, and ends the process: 0 if all passed. */
export async function runSuite(args) {
  followNpm();
  const options = suiteOptions(args);
  await setup();
  const tests = findTests(options.filters);
  if (tests.length === 0) {
    console.error(`No test file's path contains ${options.filters.join(' or ')}.`);
    process.exit(1);
  }
  const stopping = stopOnSignals();
  const folder = await privateTemporaryFolder();
  const report = new RequirementsReport(folder);
  process.env.ROWLOCK_TEST_REQUIREMENTS_FILE = report.file;
  const stopCeph = await provideCeph(folder);
  const passed = await runWithDatabase(tests, options, { stopping, report }).finally(stopCeph);
  if (stopping.signal.aborted) {
    await removeWhileOthersStop(folder);
    process.exit(128 + constants.signals[stopping.signal.reason.received]);
  }
  for (const line of report.lines()) console.log(line);
  process.exit(passed && allRequiredRan(report, options) ? 0 : 1);
}

/** Why a run ends early; the test runner wants an error that it can add to. */
class Interruption extends Error {
  constructor(received) {
    super(`interrupted by ${received}`);
    this.received = received;
  }
}

/** Ctrl-C may arrive twice, from the terminal and from npm: only a later one means "at once". */
function stopOnSignals() {
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // one for every test file
  let first = Number.POSITIVE_INFINITY;
  const stopOn = (signal) => {
    if (Date.now() - first > 1000) process.exit(128 + constants.signals[signal]);
    if (stopping.signal.aborted) return;
    first = Date.now();
    console.error(`\n${signal}: stopping. Once more to leave at once.`);
    stopping.abort(new Interruption(signal));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stopOn);
  return stopping;
}

/** Everything that this process and its tests create as temporary lies in one folder, which goes with it. */
async function privateTemporaryFolder() {
  const { temporaryFolder } = await importHarness();
  const folder = temporaryFolder({ mode: 0o711 });
  const tmp = join(folder, 'tmp');
  mkdirSync(tmp);
  chmodSync(tmp, 0o1777);
  process.env.TMPDIR = tmp;
  // From Node 22 on, what one test file has compiled need not be compiled by the next.
  process.env.NODE_COMPILE_CACHE ??= join(folder, 'compiled');
  return folder;
}

/** What the interrupted tests had started writes until it has stopped too, which takes it a moment. */
async function removeWhileOthersStop(folder) {
  for (let tries = 1; tries <= 200; tries += 1) {
    const removed = !usedByOthers(folder) && (await rm(folder, { recursive: true, force: true }).then(yes, no));
    if (removed) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const yes = () => true;
const no = () => false;

/** Whether the environment of another process names the folder; false where there is no /proc to ask. */
function usedByOthers(folder) {
  const processes = existsSync('/proc') ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [];
  return processes.some((pid) => pid !== String(process.pid) && environmentOf(pid).includes(folder));
}

/** Empty for a process that has ended, or is another user's. */
function environmentOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}

async function runWithDatabase(tests, options, { stopping, report }) {
  const stopDatabase = await provideDatabase(stopping.signal).catch((error) => {
    if (stopping.signal.aborted) return async () => {};
    throw error;
  });
  try {
    const files = tests.map(({ compiled }) => compiled);
    return stopping.signal.aborted ? false : await runFiles(files, options, { signal: stopping.signal, report });
  } finally {
    await stopDatabase();
  }
}

/** Only a whole run can tell that a suite is missing. */
function allRequiredRan(report, { filters, patterns }) {
  if (filters.length > 0 || patterns.length > 0) return true;
  const required = (process.env.ROWLOCK_REQUIRE ?? '').split(',').map((name) => name.trim());
  const missing = report.neverAsked(required.filter((name) => name !== ''));
  if (missing.length > 0) console.error(`ROWLOCK_REQUIRE names what no test asks for: ${missing.join(', ')}`);
  return missing.length === 0;
}
