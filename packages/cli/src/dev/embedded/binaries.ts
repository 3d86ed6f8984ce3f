/**
 * Makes PostgreSQL's programs runnable for the user that will run them: where
 * they are installed if possible, from a copy otherwise. It decides by running
 * them, never by reading permissions. A copy appears complete or not at all,
 * and only below a folder that nobody else can write.
 */
import { randomBytes } from 'node:crypto';
import { chmod, constants, copyFile, mkdir, readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EmbeddedPostgresError, ownServerAdvice } from './embedded-error.ts';
import { completeInstall, type PlatformPackage, programs } from './platform-package.ts';
import { processStart } from './process-start.ts';
import { runAs, type ServerUser } from './run-as.ts';
import { openSystemFolder } from './system-folder.ts';

/** Absolute paths of programs that the server's user has run. */
export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
}

/** Parts of the package that no running server needs: static libraries, headers, build descriptions. */
const leftOut = /\.a$|^pkgconfig$|^include$/;

/**
 * Returns programs that `user` can run, copying them once to the first of `systemFolders` that works.
 *
 * Raises `binaries_unusable` with what each attempt said.
 */
export async function usableBinaries(
  source: PlatformPackage,
  user: ServerUser | undefined,
  systemFolders: readonly string[],
): Promise<Binaries> {
  const complete = await completeInstall(source.nativeFolder);
  const installed = await tryPrograms(source.nativeFolder, source.major, user);
  if (installed.works) return pathsIn(source.nativeFolder);
  const attempts = [`${source.nativeFolder}: ${installed.why}`];
  const oursToo = complete ? await tryPrograms(source.nativeFolder, source.major, undefined) : undefined;
  if (user !== undefined && oursToo?.works === false) throw unusable(source, attempts);
  for (const candidate of systemFolders) {
    const folder = await openSystemFolder(candidate);
    if (folder === undefined) {
      attempts.push(`${candidate}: cannot be created, or others could write to it`);
      continue;
    }
    const copy = join(folder, `postgresql-${source.version}-${process.platform}-${process.arch}`);
    const trial = await tryCopy(source, copy, user);
    if (trial.works) return pathsIn(copy);
    attempts.push(`${copy}: ${trial.why}`);
  }
  throw unusable(source, attempts);
}

function pathsIn(nativeFolder: string): Binaries {
  return { postgres: join(nativeFolder, 'bin', 'postgres'), initdb: join(nativeFolder, 'bin', 'initdb') };
}

function unusable(source: PlatformPackage, attempts: readonly string[]): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'binaries_unusable',
    `PostgreSQL's programs from ${source.name} do not run here. They need glibc (Alpine's musl will not do) and a ` +
      `folder that allows programs. Use another base image or machine, ${ownServerAdvice}. Tried:\n` +
      attempts.map((attempt) => `  ${attempt}`).join('\n'),
  );
}

interface Trial {
  readonly works: boolean;
  readonly why: string;
}

async function tryPrograms(nativeFolder: string, major: string, user: ServerUser | undefined): Promise<Trial> {
  const answers = await Promise.all(
    programs.map((program) => runAs(join(nativeFolder, 'bin', program), ['--version'], { user, timeoutMs: 30_000 })),
  );
  const bad = answers.find(({ code, output }) => code !== 0 || !output.includes(` ${major}.`));
  return { works: bad === undefined, why: bad?.output.trim() ?? '' };
}

async function tryCopy(source: PlatformPackage, copy: string, user: ServerUser | undefined): Promise<Trial> {
  const existing = await tryPrograms(copy, source.major, user);
  if (existing.works) return existing;
  await sweepDrafts(copy);
  const draft = `${copy}.draft-${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    await copyReadable(source.nativeFolder, draft);
    await completeInstall(draft);
    const trial = await tryPrograms(draft, source.major, user);
    if (trial.works && !(await moveIfAbsent(draft, copy))) {
      const raced = await tryPrograms(copy, source.major, user);
      if (!raced.works) await replaceFolder(draft, copy);
    }
    return trial;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Copies a tree with modes that let everyone read it, whatever the umask of the clone was. */
async function copyReadable(from: string, to: string): Promise<void> {
  await mkdir(to, { mode: 0o755 });
  await chmod(to, 0o755);
  const entries = await readdir(from, { withFileTypes: true });
  for (const entry of entries.filter(({ name }) => !leftOut.test(name))) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyReadable(source, target);
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else await copyReadableFile(source, target);
  }
}

async function copyReadableFile(source: string, target: string): Promise<void> {
  await copyFile(source, target, constants.COPYFILE_FICLONE);
  const { mode } = await stat(source);
  await chmod(target, (mode & 0o111) === 0 ? 0o644 : 0o755);
}

/** Removes what starts that were killed while they copied have left. */
async function sweepDrafts(copy: string): Promise<void> {
  const prefix = `${basename(copy)}.draft-`;
  for (const name of await readdir(dirname(copy))) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : undefined;
    if (pid === undefined || processStart(pid) !== undefined) continue;
    await rm(join(dirname(copy), name), { recursive: true, force: true });
  }
}

/** Moves the draft into place unless something, a damaged copy or one that was made meanwhile, is there. */
async function moveIfAbsent(draft: string, copy: string): Promise<boolean> {
  try {
    await rename(draft, copy);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
}

async function replaceFolder(draft: string, damaged: string): Promise<void> {
  const aside = `${draft}.old`;
  await rename(damaged, aside);
  await rename(draft, damaged);
  await rm(aside, { recursive: true, force: true });
}
