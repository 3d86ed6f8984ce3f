/**
 * The campaign of negative controls: takes every guard away once, in a copy of the workspace, and requires that the
 * test which is said to watch it fails. It needs a PostgreSQL that ROWLOCK_TEST_DATABASE_URL names, as tests do, and
 * one thing at a time happens, so that a figure is a figure.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../../setup/workspace.mjs';
import { readControls } from './control-list.mjs';
import { patternOf, runTests } from './run-tests.mjs';
import { compile, compiledOf, problemWithout, tryControl } from './try-control.mjs';
import { copyWorkspace } from './workspace-copy.mjs';

const options = { only: { type: 'string' }, area: { type: 'string' }, json: { type: 'string' } };

/** Tries the controls that the arguments choose; ends the process with 0 if every one holds. */
export async function runControls(args) {
  const { values } = parseArgs({ args, options });
  const controls = readControls(root, values);
  if (controls.length === 0) {
    console.error('No control was chosen.');
    process.exit(1);
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));
  const started = new Date();
  const folder = copyWorkspace(root);
  const refused = compile(folder);
  if (refused !== undefined) {
    console.error(`The workspace does not compile:\n${refused}`);
    process.exit(1);
  }
  console.log(`${controls.length} controls; copied and compiled in ${secondsSince(started)} s`);
  const results = await tryAll(folder, controls);
  const report = { started, seconds: secondsSince(started), seed: process.env.ROWLOCK_TEST_SEED, results };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
  process.exit(printSummary(report) ? 0 : 1);
}

async function tryAll(folder, controls) {
  const env = { TMPDIR: temporaryFolderIn(folder) };
  const results = [];
  for (const [test, own] of grouped(controls, 'test')) {
    const patterns = [...new Set(own.map(({ name }) => patternOf(name)))];
    const unedited = await runTests(folder, compiledOf(test), patterns, env);
    for (const control of own) {
      const begun = new Date();
      const ended = problemWithout(control, unedited) ?? (await tryControl(folder, control, env));
      const result = { ...control, ...ended, seconds: secondsSince(begun) };
      results.push(result);
      console.log(line(result));
    }
  }
  return results;
}

/** Test processes of other users reach it too; what they leave goes with the copy. */
function temporaryFolderIn(folder) {
  const tmp = join(folder, 'tmp');
  mkdirSync(tmp);
  chmodSync(tmp, 0o1777);
  return tmp;
}

function line({ verdict, seconds, area, guard, file, test, name, detail }) {
  const head = `${verdict.padEnd(8)} ${String(seconds).padStart(6)} s  ${area}: ${guard}`;
  return verdict === 'holds' ? head : `${head}\n         ${file} → ${test}: ${name}\n         ${detail}`;
}

/** Returns whether every control holds. */
function printSummary({ seconds, seed, results }) {
  const survivors = results.filter(({ verdict }) => verdict !== 'holds');
  console.log(`\n${results.length} controls in ${seconds} s${seed === undefined ? '' : `, seed ${seed}`}`);
  for (const [area, own] of grouped(results, 'area')) {
    const holding = own.filter(({ verdict }) => verdict === 'holds').length;
    console.log(`  ${area.padEnd(24)} ${holding} of ${own.length} hold`);
  }
  for (const { verdict, area, guard } of survivors) console.log(`  ${verdict}: ${area}: ${guard}`);
  return survivors.length === 0;
}

/** Items by a field of theirs, in the order of the first of each. */
function grouped(items, field) {
  const groups = new Map();
  for (const item of items) groups.set(item[field], [...(groups.get(item[field]) ?? []), item]);
  return groups;
}

function secondsSince(start) {
  return Math.round((Date.now() - start.getTime()) / 100) / 10;
}
