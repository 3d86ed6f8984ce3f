/**
 * Runs test files and prints what happens, and on request runs those that failed once more, each alone: a test that
 * only fails beside others is named as flaky, loudly, and does not hold up what it has nothing to do with. A test that
 * fails alone as well fails the run, and so does it when more files failed than may be run again.
 */
import { relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { SlowestFiles } from './slowest-files.mjs';

/** Returns whether every test passed, at the second try where `options.rerun` files or fewer had failed. */
export async function runFiles(files, options, { signal, report }) {
  const failed = await runOnce(files, options, { signal, onPass: ({ skip }) => report.count(skip) });
  if (failed.size === 0) return true;
  if (signal.aborted || failed.size > options.rerun) return false;
  console.log(`\nTest files that failed: ${failed.size}. Each runs alone once more.\n`);
  const again = await runOnce([...failed.keys()], { ...options, concurrency: 1 }, { signal });
  for (const [file, names] of failed) {
    if (!again.has(file))
      console.log(`flaky: ${relative(process.cwd(), file)}: failed beside others, passed alone: ${names.join('; ')}`);
  }
  return again.size === 0 && !signal.aborted;
}

/** Returns the names of the tests that failed, by file. */
async function runOnce(files, options, { signal, onPass = () => {} }) {
  const failed = new Map();
  const events = run({
    files,
    concurrency: options.concurrency,
    timeout: options.timeoutMs,
    signal,
    ...(options.patterns.length > 0 ? { testNamePatterns: options.patterns } : {}),
  });
  const slowest = new SlowestFiles();
  for (const ended of ['test:pass', 'test:fail']) events.on(ended, (event) => slowest.count(event));
  events.on('test:fail', ({ todo, name, file }) => {
    if (todo === undefined || todo === false) failed.set(file, [...(failed.get(file) ?? []), name]);
  });
  events.on('test:pass', onPass);
  const printed = events.compose(new spec());
  printed.pipe(process.stdout);
  await new Promise((resolve, reject) => {
    printed.once('end', resolve);
    printed.once('error', reject);
  });
  for (const line of slowest.lines()) console.log(line);
  return failed;
}
