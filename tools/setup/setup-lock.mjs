/**
 * Lets one setup at a time work on the clone. The lock is a folder outside of
 * node_modules, which an install replaces. A lock whose holder died is taken.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from './workspace.mjs';

const lock = join(root, '.build', 'setup.lock');
const waitMaxMs = 15 * 60_000;

/** Runs `work` while no other setup does, and returns its result. */
export async function withSetupLock(work) {
  await acquire();
  const release = () => rmSync(lock, { recursive: true, force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

async function acquire() {
  mkdirSync(dirname(lock), { recursive: true });
  const deadline = Date.now() + waitMaxMs;
  let announced = false;
  while (!tryCreate()) {
    const pid = holder();
    if (pid !== undefined && !isRunning(pid)) {
      stepAside();
      continue;
    }
    if (Date.now() > deadline) throw new Error(`Another setup holds ${lock} for too long. Remove it and try again.`);
    if (!announced) console.log(`setup: waiting for another setup (process ${pid ?? 'unknown'})`);
    announced = true;
    await delay(100);
  }
}

function tryCreate() {
  try {
    mkdirSync(lock);
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
  writeFileSync(join(lock, 'pid'), String(process.pid));
  return true;
}

/** The holder's process id; 0, which never runs, for a lock that was left before it was written. */
function holder() {
  try {
    return Number(readFileSync(join(lock, 'pid'), 'utf8'));
  } catch {
    return ageMs() > 5_000 ? 0 : undefined;
  }
}

function ageMs() {
  try {
    return Date.now() - statSync(lock).mtimeMs;
  } catch {
    return 0;
  }
}

function isRunning(pid) {
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}

/** Of those who see the same dead lock, one moves it away. */
function stepAside() {
  const aside = `${lock}.${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  rmSync(aside, { recursive: true, force: true });
}
