/**
 * Makes a new cluster with initdb and sets the superuser's password. It does
 * not choose where the cluster lives. The password never appears among a
 * program's arguments, and no connection is ever trusted without it.
 */
import { randomBytes } from 'node:crypto';
import { chmod, chown, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import type { DraftCluster } from './cluster-folder.ts';
import { failureOf } from './embedded-error.ts';
import { type RunResult, runAs, type ServerUser } from './run-as.ts';
import { rolePasswordSet } from './statements.ts';

/** The superuser of every embedded cluster. */
export const superuser = 'postgres';

const initTimeoutMs = 300_000;

/** Runs initdb in the draft; raises `disk_full` or `server_failed` with what it printed. */
export async function initCluster(
  binaries: Binaries,
  draft: DraftCluster,
  options: { user: ServerUser | undefined; password: string; signal: AbortSignal | undefined },
): Promise<void> {
  const passwordFile = join(draft.scratch, 'password');
  await writeFile(passwordFile, `${options.password}\n`, { mode: 0o600 });
  if (options.user !== undefined) await chown(passwordFile, options.user.uid, options.user.gid);
  const run = async (locale: string, provider: readonly string[] = builtinProvider): Promise<RunResult> => {
    const args = [...initArguments(draft.data, passwordFile, locale), ...provider];
    return await runAs(binaries.initdb, args, {
      user: options.user,
      signal: options.signal,
      timeoutMs: initTimeoutMs,
    });
  };
  let result = await run('C.UTF-8');
  if (result.code !== 0 && result.output.includes('invalid locale')) result = await run('C'); // older macOS
  if (result.code !== 0 && result.output.includes('locale provider')) result = await run('C.UTF-8', []); // before 17
  if (result.code !== 0) throw failureOf('initdb', draft.data, result.output);
  await rm(passwordFile);
}

/** PostgreSQL's own C.UTF-8 collates alike on every system. */
const builtinProvider: readonly string[] = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'];

/** Checksums show a damaged page instead of serving it. */
function initArguments(folder: string, passwordFile: string, locale: string): readonly string[] {
  return [
    `--pgdata=${folder}`,
    `--username=${superuser}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    `--locale=${locale}`,
    '--text-search-config=english',
    '--data-checksums',
    '--no-instructions',
  ];
}

/** What the password file held, or a new random password that it holds now. */
export interface StoredPassword {
  readonly password: string;
  readonly isNew: boolean;
}

/** Reads the password beside the data folder, or makes one. The file is ours alone (0600) and complete or absent. */
export async function storedPassword(path: string): Promise<StoredPassword> {
  const existing = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return '';
  });
  if (existing.trim() !== '') {
    await chmod(path, 0o600);
    return { password: existing.trim(), isNew: false };
  }
  const password = randomBytes(24).toString('base64url');
  const draft = `${path}.draft-${process.pid}`;
  await writeFile(draft, `${password}\n`, { mode: 0o600 });
  await rename(draft, path);
  return { password, isNew: true };
}

/**
 * Gives the superuser of a stopped cluster this password, for when the old one is lost.
 *
 * Whoever may start the server on the files may do this anyway.
 */
export async function resetPassword(
  binaries: Binaries,
  folder: string,
  options: { user: ServerUser | undefined; password: string; signal: AbortSignal | undefined },
): Promise<void> {
  const result = await runAs(binaries.postgres, ['--single', '-D', folder, 'postgres'], {
    user: options.user,
    input: `${rolePasswordSet(superuser, options.password)}\n`,
    signal: options.signal,
    timeoutMs: initTimeoutMs,
  });
  if (result.code !== 0) throw failureOf('PostgreSQL', folder, result.output);
}
