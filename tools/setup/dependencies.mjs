/**
 * Installs the packages of package-lock.json when they are not the ones that
 * are installed. It never changes the lock file, and no package's install
 * script runs. What somebody installed with npm already is not installed twice.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { runProgram } from './run-program.mjs';
import { readJson, root, workspaceFolders } from './workspace.mjs';

/** Changes when other packages may be needed. */
export function dependencyHash() {
  const hash = createHash('sha256');
  hash.update(`${process.versions.node.split('.')[0]} ${process.platform} ${process.arch}\n`);
  for (const folder of [root, ...workspaceFolders()]) hash.update(readFileSync(join(folder, 'package.json')));
  hash.update(readFileSync(join(root, 'package-lock.json')));
  return hash.digest('hex');
}

/** Returns whether the last install ran to its end. npm writes this file last. */
export function isInstalled() {
  return existsSync(join(root, 'node_modules', '.package-lock.json'));
}

/** Returns whether what npm says it has installed is what the lock file asks for. */
export function installedMatchesLock() {
  if (!isInstalled()) return false;
  const wanted = readJson(join(root, 'package-lock.json')).packages;
  const installed = readJson(join(root, 'node_modules', '.package-lock.json')).packages;
  const isAsWanted = ([path, { version, integrity, link }]) =>
    wanted[path] !== undefined && (link || (wanted[path].version === version && wanted[path].integrity === integrity));
  const isThere = ([path, entry]) =>
    path === '' || entry.optional || entry.devOptional || entry.peer || installed[path] !== undefined;
  return Object.entries(installed).every(isAsWanted) && Object.entries(wanted).every(isThere);
}

/** Installs; ends the process if npm fails, which has said why. */
export async function install() {
  console.log('setup: installing packages');
  const args = ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  args.push('--include=dev', '--include=optional', '--loglevel=error');
  const [command, ...first] = npmCommand();
  const code = await runProgram(command, [...first, ...args], { cwd: root });
  if (code === 0) return;
  console.error('setup: npm ci failed; see above. After a change of dependencies, run `npm install` once.');
  process.exit(code);
}

/** The npm that runs us if one does, whatever PATH says. */
function npmCommand() {
  const running = process.env.npm_execpath;
  if (running !== undefined && basename(running) === 'npm-cli.js') return [process.execPath, running];
  return ['npm'];
}
