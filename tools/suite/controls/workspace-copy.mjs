/**
 * A copy of the workspace that may be broken: sources and compiled files are copied, installed packages are links to
 * the same bytes, because nothing writes to them. Whatever happens to the copy, the clone stays as it is.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const left = new Set(['.git', '.rowlock', '.build', 'coverage', 'node_modules']);

/** Copies the workspace into a new temporary folder, and returns that; it goes when this process ends. */
export function copyWorkspace(root) {
  // Called as the folders of tests are, so that the next test process removes what a killed one left.
  const folder = mkdtempSync(join(tmpdir(), `rowlock-test-${process.pid}-`));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  chmodSync(folder, 0o711);
  for (const name of readdirSync(root).filter((each) => !left.has(each))) {
    cpSync(join(root, name), join(folder, name), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  }
  linkFolder(join(root, 'node_modules'), join(folder, 'node_modules'));
  allowUnusedNames(join(folder, 'tsconfig.base.json'));
  return folder;
}

/** Where a guard was taken away, what it alone has used is left: that is no reason to refuse the edit. */
function allowUnusedNames(config) {
  if (!existsSync(config)) return;
  const text = readFileSync(config, 'utf8');
  writeFileSync(config, text.replace(/("noUnused(?:Locals|Parameters)": )true/g, '$1false'));
}

function linkFolder(from, to) {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (left.has(entry.name) && entry.name !== 'node_modules') continue;
    if (entry.isDirectory()) linkFolder(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else linkOrCopy(source, target);
  }
}

/** Another file system, or one without links, costs a copy. */
function linkOrCopy(source, target) {
  try {
    linkSync(source, target);
  } catch {
    cpSync(source, target);
  }
}
