/**
 * Tries one negative control in a copy of the workspace: edits, compiles, runs the test that must fail, and puts the
 * text back. A control holds only if its test ran, passed before the edit, and fails by itself after it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { patternOf, runTests } from './run-tests.mjs';

/** The compiled file of a test's source. */
export function compiledOf(source) {
  return source.replace('/src/', '/dist/').replace(/\.ts$/, '.js');
}

/** Compiles what changed; returns what the compiler said where it refused, else undefined. */
export function compile(folder) {
  const compiler = join(folder, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-b'], { cwd: folder, encoding: 'utf8' });
  return status === 0 ? undefined : stdout.trim();
}

/** How a control's test ended before any edit: undefined where it passed, else why the control means nothing. */
export function problemWithout(control, tests) {
  const own = tests.filter(({ path }) => path.includes(control.name));
  if (own.length === 0) return { verdict: 'no such test', detail: control.name };
  if (own.every(({ skipped }) => skipped)) return { verdict: 'skipped here', detail: control.name };
  const failed = own.find(({ passed }) => !passed);
  return failed && { verdict: 'fails unedited', detail: `${failed.path}: ${failed.message}` };
}

/** Tries the control; returns `{ verdict, detail }`, and `holds` is the only good verdict. */
export async function tryControl(folder, control, env) {
  const path = join(folder, control.file);
  if (!existsSync(path)) return { verdict: 'no such file', detail: control.file };
  const before = readFileSync(path, 'utf8');
  const found = before.split(control.find).length - 1;
  if (found !== 1) return { verdict: 'text not found once', detail: `${found} times in ${control.file}` };
  writeFileSync(
    path,
    before.replace(control.find, () => control.replace),
  );
  try {
    const refused = control.file.endsWith('.ts') ? compile(folder) : undefined;
    if (refused !== undefined) return { verdict: 'does not compile', detail: refused };
    return verdictOf(control, await runTests(folder, compiledOf(control.test), [patternOf(control.name)], env));
  } finally {
    writeFileSync(path, before);
    // What runs next must not meet what this edit was compiled to.
    if (control.file.endsWith('.ts')) compile(folder);
  }
}

function verdictOf(control, tests) {
  const own = tests.filter(({ path }) => path.includes(control.name));
  const failed = own.find((test) => !test.passed && !isTakenAlong(test));
  if (failed !== undefined) return { verdict: 'holds', detail: failed.message };
  const broken = tests.find(({ passed, failure }) => !passed && failure !== 'no end');
  if (broken !== undefined) return { verdict: 'breaks the setup', detail: `${broken.path}: ${broken.message}` };
  return { verdict: 'toothless', detail: `${own.length} test(s) ran, and passed without the guard` };
}

/** A test that failed with a hook or with its suite says nothing of the guard; one that waits in vain does. */
function isTakenAlong({ failure, message }) {
  return failure === 'hookFailed' || message.startsWith('test did not finish before its parent');
}
