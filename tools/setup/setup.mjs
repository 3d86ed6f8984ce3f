/**
 * Brings the clone to the state that both commands need: packages installed,
 * sources compiled. It does nothing, quickly, when nothing changed. What was
 * done is noted inside node_modules, so removing that starts over.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build, buildNotes, sourceHash } from './build.mjs';
import { dependencyHash, install, installedMatchesLock, isInstalled } from './dependencies.mjs';
import { withSetupLock } from './setup-lock.mjs';
import { root } from './workspace.mjs';

const stampFile = join(root, 'node_modules', '.rowlock', 'setup.json');

/** Installs and, unless `compile` is false, compiles what changed since the last time. */
export async function setup({ compile = true } = {}) {
  if (isDone(compile)) return;
  await withSetupLock(async () => {
    const fresh = await ensureInstalled();
    if (compile) await ensureBuilt(fresh);
  });
}

function isDone(compile) {
  const stamp = readStamp();
  if (!isInstalled() || stamp.dependencies !== dependencyHash()) return false;
  return !compile || isBuilt(stamp, sourceHash());
}

/** Returns whether packages changed. */
async function ensureInstalled() {
  const dependencies = dependencyHash();
  if (isInstalled() && readStamp().dependencies === dependencies) return false;
  const needed = !installedMatchesLock();
  if (needed) await install();
  writeStamp({ dependencies });
  return needed;
}

/** New packages may bring new types, which the compiler's own bookkeeping does not notice. */
async function ensureBuilt(fresh) {
  const sources = sourceHash();
  const stamp = readStamp();
  if (!fresh && isBuilt(stamp, sources)) return;
  await build({ force: fresh });
  writeStamp({ ...stamp, sources, notes: buildNotes() });
}

function isBuilt(stamp, sources) {
  const notes = new Set(buildNotes());
  return stamp.sources === sources && (stamp.notes ?? ['']).every((note) => notes.has(note));
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    return {};
  }
}

function writeStamp(stamp) {
  mkdirSync(dirname(stampFile), { recursive: true });
  const draft = `${stampFile}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(stamp)}\n`);
  renameSync(draft, stampFile);
}
