/**
 * Compiles the TypeScript projects when a source file changed, and removes what
 * was compiled from files that no longer exist. It checks no types beyond what
 * the compiler does, and bundles nothing.
 */
import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { runProgram } from './run-program.mjs';
import { filesBelow, fingerprint, projects, root, workspaceFolders } from './workspace.mjs';

/** Changes when a file that the compiler reads was written, added or removed. */
export function sourceHash() {
  const hash = createHash('sha256');
  const all = projects();
  const sources = [...new Set(all.map(({ source }) => source))].flatMap(filesBelow);
  const configs = [join(root, 'tsconfig.json'), join(root, 'tsconfig.base.json'), ...all.map(({ config }) => config)];
  const manifests = workspaceFolders().map((folder) => join(folder, 'package.json'));
  for (const path of [...sources, ...configs, ...manifests]) hash.update(fingerprint(path));
  return hash.digest('hex');
}

/** The compiler's notes that exist; a project without any input leaves none. Removing `dist` removes them. */
export function buildNotes() {
  return projects()
    .map(({ buildInfo }) => buildInfo)
    .filter((path) => existsSync(path))
    .map((path) => relative(root, path));
}

/** Compiles; ends the process with 1 if the compiler finds errors, which it has printed. */
export async function build({ force }) {
  console.log('setup: compiling');
  removeStaleOutputs();
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = force ? ['-b', '--force'] : ['-b'];
  const code = await runProgram(process.execPath, [compiler, ...args], { cwd: root });
  if (code > 128) process.exit(code);
  if (code !== 0) {
    console.error('setup: the compiler found errors; see above.');
    process.exit(1);
  }
}

/** Only the compiler's own outputs are touched: they come with a declaration file. */
function removeStaleOutputs() {
  const outputs = new Map(projects().map(({ output, source }) => [output, source]));
  for (const [output, source] of outputs) {
    for (const path of filesBelow(output).filter((name) => name.endsWith('.d.ts'))) {
      const stem = join(source, relative(output, path)).slice(0, -'.d.ts'.length);
      if (['.ts', '.tsx'].some((extension) => existsSync(stem + extension))) continue;
      for (const extension of ['.d.ts', '.js', '.js.map']) rmSync(path.replace(/\.d\.ts$/, extension), { force: true });
    }
  }
}
