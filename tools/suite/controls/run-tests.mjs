/**
 * Runs some tests of one compiled file in a process of its own, and says which ran and how each ended. It knows tests
 * by their path, as in `suite > test`. A run that does not end is ended, with everything that it started.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const reporter = fileURLToPath(new URL('test-events.mjs', import.meta.url));
const testTimeoutMs = 45_000;
const runTimeoutMs = 120_000;

/** The pattern that chooses a test by the last part of its path, which is literal text. */
export function patternOf(name) {
  return (name.split(' > ').at(-1) ?? name).replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

/**
 * Runs the tests whose names match a pattern.
 *
 * Returns them without suites, each as `{ path, passed, skipped, failure, message }`; one that began and never ended has
 * not passed.
 */
export async function runTests(folder, compiled, patterns, env = {}) {
  const { NODE_TEST_CONTEXT: _, ROWLOCK_TEST_REQUIREMENTS_FILE: __, ...inherited } = process.env;
  const chosen = patterns.map((pattern) => `--test-name-pattern=${pattern}`);
  const args = ['--test', `--test-reporter=${reporter}`, `--test-timeout=${testTimeoutMs}`, ...chosen, compiled];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...inherited, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const timer = setTimeout(() => endGroup(child.pid), runTimeoutMs);
  await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(timer);
  endGroup(child.pid);
  return testsOf(output);
}

/** Servers that a failing test did not stop would otherwise go on. */
function endGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** What begins is told at once, and what ended in the order of the file: each has a path of its own. */
function testsOf(output) {
  const [beginning, reported] = [[], []];
  const begun = new Set();
  const results = new Map();
  for (const line of output.split('\n').filter((each) => each.startsWith('{'))) {
    const event = JSON.parse(line);
    const path = event.type === 'test:dequeue' ? beginning : reported;
    path.length = event.nesting;
    path[event.nesting] = event.name;
    if (event.type === 'test:dequeue') begun.add(path.join(' > '));
    else if (event.type !== 'test:start') results.set(path.join(' > '), resultOf(event, path.join(' > ')));
  }
  // Only where the whole file was ended: what was left out by its name has begun and has no result either.
  const isEnded = [...results.values()].some(({ failure }) => failure === 'testTimeoutFailure');
  const endless = [...begun].filter((path) => isEnded && !results.has(path) && !isAbove(path, begun));
  return [
    ...[...results.values()].filter(({ is_suite }) => !is_suite),
    ...endless.map((path) => ({ path, passed: false, skipped: false, failure: 'no end', message: 'it did not end' })),
  ];
}

function resultOf({ type, is_suite, todo, skip, failure, message }, path) {
  return { path, is_suite, passed: type === 'test:pass' || todo, skipped: skip, failure, message };
}

/** A suite is what others are below of. */
function isAbove(path, begun) {
  return [...begun].some((other) => other.startsWith(`${path} > `));
}
