/**
 * Skips tests whose tool is not on this machine, visibly. It installs nothing.
 * A skip always names the tool and what was looked for, and a tool that
 * ROWLOCK_REQUIRE lists is never skipped: its absence is a failing test.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, appendFileSync, constants, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';

/** Returns why the tool cannot be used, or undefined if it can. */
type Detector = () => string | undefined;

const chromiumNames = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const cephNames = ['radosgw', 'ceph-mon', 'ceph-osd', 'ceph-mgr'];
/** Where distributions keep servers, which are not in every user's PATH. */
const serverFolders = ['/usr/sbin', '/usr/local/sbin'];
const postgresVersions = '/usr/lib/postgresql';

const detectors: Readonly<Record<string, Detector>> = {
  chromium: () => oneOf(chromiumNames),
  ceph: () => allOf(cephNames),
  nginx: () => packaged('nginx', 'nginx-light or nginx'),
  clamd: () => packaged('clamd', 'clamav-daemon'),
  pgbench: () => packaged('pgbench', 'postgresql'),
  root: () => (process.getuid?.() === 0 ? undefined : 'this process does not run as root'),
  mount: cannotMount,
  angular: notAskedFor('angular', 'it installs 280 MB of packages and builds an application'),
};

const asked = new Map<string, string | undefined>();

/**
 * Returns false if every named tool is here, else why not: the value of a test's `skip` option.
 *
 * Knows `chromium`, `ceph`, `nginx`, `clamd`, `pgbench`, `root`, `mount` (of a tmpfs) and `angular`; any other name is a program in PATH, as
 * `go` or `strace`. Tells `npm test` what was asked for, for its summary.
 */
export function requires(...names: readonly string[]): false | string {
  for (const name of names) {
    const missing = lookFor(name);
    if (missing !== undefined) return `needs ${name}: ${missing}`;
  }
  return false;
}

/** Returns the path of an installed program; of `chromium`, under whichever name it has. */
export function toolPath(name: string): string {
  const path = findFirst(name === 'chromium' ? chromiumNames : [name]);
  if (path === undefined) throw new Error(`There is no ${name} in PATH. Guard the test with requires('${name}').`);
  return path;
}

function lookFor(name: string): string | undefined {
  if (asked.has(name)) return asked.get(name);
  const detect = detectors[name] ?? (() => allOf([name]));
  const missing = detect();
  asked.set(name, missing);
  report(name, missing);
  if (missing !== undefined && required().includes(name)) failFor(name, missing);
  return missing;
}

function required(): readonly string[] {
  return (process.env['ROWLOCK_REQUIRE'] ?? '').split(',').map((name) => name.trim());
}

/** One test fails; those that need the tool are skipped as usual, and the rest of the file runs. */
function failFor(name: string, missing: string): void {
  void test(`${name} is here, as ROWLOCK_REQUIRE demands`, () => {
    throw new Error(`ROWLOCK_REQUIRE names ${name}, but ${missing}.`);
  });
}

function report(name: string, missing: string | undefined): void {
  const file = process.env['ROWLOCK_TEST_REQUIREMENTS_FILE'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ name, missing: missing ?? null })}\n`);
}

/** Asked of the kernel, since root in a container may or may not. */
function cannotMount(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'rowlock-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
  if (mounted.status === 0) spawnSync('umount', [folder]);
  rmdirSync(folder);
  return mounted.status === 0 ? undefined : 'this process may not mount file systems';
}

/** What only runs where it is asked for, however much is installed. */
function notAskedFor(name: string, cost: string): Detector {
  return () => (required().includes(name) ? undefined : `run with ROWLOCK_REQUIRE=${name}, since ${cost}`);
}

function oneOf(names: readonly string[]): string | undefined {
  return findFirst(names) === undefined ? `no ${names.join(', ')} found in PATH` : undefined;
}

function allOf(names: readonly string[]): string | undefined {
  const missing = names.filter((name) => findFirst([name]) === undefined);
  return missing.length === 0 ? undefined : `no ${missing.join(', ')} found in PATH`;
}

function packaged(name: string, packages: string): string | undefined {
  const places = ['PATH', ...foldersBeyondPath(name)].join(', ');
  return findFirst([name]) === undefined ? `no ${name} found in ${places} (Debian's package: ${packages})` : undefined;
}

function findFirst(names: readonly string[]): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return names
    .flatMap((name) => [...folders, ...foldersBeyondPath(name)].map((folder) => join(folder, name)))
    .find(isExecutable);
}

function foldersBeyondPath(name: string): readonly string[] {
  if (name === 'nginx' || name === 'clamd') return serverFolders;
  return name === 'pgbench' ? postgresFolders() : [];
}

function postgresFolders(): readonly string[] {
  try {
    return readdirSync(postgresVersions).map((version) => join(postgresVersions, version, 'bin'));
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
