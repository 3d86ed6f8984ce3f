/**
 * Chooses the user that runs PostgreSQL, which refuses to run as root. It
 * creates no users. A candidate counts only after a program really ran as it,
 * since a container may lack the right to change users or the mapping for one.
 */
import { readFile } from 'node:fs/promises';
import { EmbeddedPostgresError, ownServerAdvice } from './embedded-error.ts';
import { runAs, type ServerUser } from './run-as.ts';

/** In order of preference: a dedicated account first, then those that every system has. */
const candidateNames = ['rowlock', 'postgres', '_postgres', 'nobody', 'daemon', 'bin'];

/**
 * Returns the user to run PostgreSQL as, or undefined for the current one, who is not root.
 *
 * With `ownerUid`, the owner of an existing cluster, only that user will do.
 */
export async function chooseServerUser(ownerUid?: number): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const all = parsePasswd(await readFile('/etc/passwd', 'utf8'));
  const candidates = ownerUid === undefined ? byPreference(all) : [byUid(all, ownerUid)];
  const failures: string[] = [];
  for (const user of candidates) {
    const trial = await runAs('/bin/sh', ['-c', 'exit 0'], { user, timeoutMs: 10_000 });
    if (trial.code === 0) return user;
    failures.push(`${user.name}: ${trial.output.trim() || `exit code ${trial.code}`}`);
  }
  const why = failures.length === 0 ? 'none of them exists here' : failures.join('; ');
  throw new EmbeddedPostgresError(
    'no_unprivileged_user',
    `PostgreSQL refuses to run as root, and none of the users ${candidateNames.join(', ')} can run it (${why}). ` +
      `Create one (useradd --system rowlock), start as an ordinary user, ${ownServerAdvice}.`,
  );
}

function byPreference(all: readonly ServerUser[]): readonly ServerUser[] {
  return candidateNames.flatMap((name) => all.find((user) => user.name === name && user.uid !== 0) ?? []);
}

function byUid(all: readonly ServerUser[], uid: number): ServerUser {
  return all.find((user) => user.uid === uid) ?? { name: `user ${uid}`, uid, gid: uid };
}

/** Reads `name:password:uid:gid:…` lines; ids above 2³¹ become the negative numbers that spawn takes. */
export function parsePasswd(text: string): readonly ServerUser[] {
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    if (name === undefined || !isId(uid) || !isId(gid)) return [];
    return [{ name, uid: Number(uid) | 0, gid: Number(gid) | 0 }];
  });
}

function isId(field: string | undefined): field is string {
  return field !== undefined && /^-?\d+$/.test(field);
}
