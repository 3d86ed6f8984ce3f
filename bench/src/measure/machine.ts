/**
 * The facts of the machine, the tree and the temporary folder that a figure was measured on, without the machine's name
 * or paths. It changes nothing.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

export interface MachineFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gib: number;
  readonly kernel: string;
  readonly node: string;
  /** The file system of temporary files, where all bytes and databases of a benchmark are. */
  readonly file_system: string;
}

/** Describes this machine, without its name. */
export function machineFacts(): MachineFacts {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    file_system: fileSystemOf(tmpdir()),
  };
}

/** The load averages of now, of which a quiet machine has less than a tenth. */
export function loadNow(): readonly number[] {
  return loadavg().map((load) => Math.round(load * 100) / 100);
}

/** The commit of the tree, with `+` behind it when files that are tracked have changed. */
export function commitNow(): string {
  const cwd = fileURLToPath(new URL('../../..', import.meta.url));
  const git = (...args: string[]): string =>
    spawnSync('git', args, { cwd, encoding: 'utf8' }).stdout?.toString().trim() ?? '';
  const commit = git('rev-parse', '--short', 'HEAD');
  if (commit === '') return 'unknown';
  return git('status', '--porcelain', '--untracked-files=no') === '' ? commit : `${commit}+`;
}

function fileSystemOf(folder: string): string {
  try {
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([, at = '']) => at === '/' || folder === at || folder.startsWith(`${at}/`))
      .sort(([, one = ''], [, other = '']) => other.length - one.length);
    return mounts[0]?.[2] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
