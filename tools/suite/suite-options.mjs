/** Declares the options of `npm test`; everything else on its command line is a part of a test file's path. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

const usage = `npm test [-- OPTIONS] [PART OF A PATH…]

  --only-pattern REGEX  run only tests whose names match; may be given more than once
  --concurrency N       test files at the same time (default: one a core, 2 to 8)
  --timeout SECONDS     longest time for one test file (default: 600)
  --rerun-failed N      if N files or fewer failed, run each of them alone once more, and say which were flaky

  DATABASE_URL          use this server, as a role that may create databases, instead of an embedded one
  ROWLOCK_REQUIRE       optional tools that must be here, as in chromium,go,ceph
  ROWLOCK_TEST_FSYNC    on: the embedded server writes durably
  ROWLOCK_TEST_SEED     repeat a run of the tests that use random data
`;

/** Parses the arguments; ends the process for --help and for what it does not know. */
export function suiteOptions(args) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        'only-pattern': { type: 'string', multiple: true, default: [] },
        concurrency: { type: 'string', default: String(Math.min(8, Math.max(2, availableParallelism()))) },
        timeout: { type: 'string', default: '600' },
        'rerun-failed': { type: 'string', default: '0' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    return {
      filters: positionals,
      patterns: values['only-pattern'].map((pattern) => new RegExp(pattern)),
      concurrency: positiveInteger('concurrency', values.concurrency),
      timeoutMs: positiveInteger('timeout', values.timeout) * 1000,
      rerun: values['rerun-failed'] === '0' ? 0 : positiveInteger('rerun-failed', values['rerun-failed']),
    };
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

function positiveInteger(name, text) {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${name} takes a positive whole number, not ${text}`);
  return Number(text);
}
