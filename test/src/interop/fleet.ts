/** A fleet of both engines, whose processes can be killed: what the tests of leading and of rescue share. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { until } from '@rowlock/test-harness';
import type { BesideGo } from './beside-go.ts';

const childWorker = fileURLToPath(new URL('./child-worker.js', import.meta.url));

/** A worker of ours in a process of its own. */
export async function startChild(
  place: BesideGo,
  queue: string,
  clientId: string,
): Promise<ChildProcessByStdio<null, Readable, null>> {
  const child = spawn(process.execPath, [childWorker, place.url, place.schema, queue, clientId], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child, 'spawn');
  return child;
}

/** Kills a process and waits for its end. */
export async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** Runs a worker of ours until its first job has run long enough to count as stuck, and kills it. */
export async function runAndKill(place: BesideGo, queue: string): Promise<void> {
  const child = await startChild(place, queue, 'ts-killed');
  await once(child.stdout, 'data');
  await until(async () => (await stuckJobs(place)) > 0, { what: 'the job has run for over a second' });
  await kill(child);
  await place.sql('DELETE FROM S.river_leader'); // as if its term had ended
}

/** Returns how many milliseconds it took until somebody led. */
export async function handOver(place: BesideGo, to: string, act: () => Promise<unknown>): Promise<number> {
  await act();
  const begun = Date.now();
  await until(async () => (await leaderOf(place)) === to, { what: `${to} leads`, timeoutMs: 30_000 });
  return Date.now() - begun;
}

/** When the present term began, with microseconds. */
export async function termOf(place: BesideGo): Promise<string> {
  return String((await place.sql('SELECT elected_at::text FROM S.river_leader'))[0]?.['elected_at'] ?? '');
}

async function stuckJobs(place: BesideGo): Promise<number> {
  const [row] = await place.sql(
    `SELECT count(*)::int AS n FROM S.river_job WHERE state = 'running' AND attempted_at < now() - interval '1.1 s'`,
  );
  return Number(row?.['n']);
}

/** Who leads now. */
export async function leaderOf(place: BesideGo): Promise<string | undefined> {
  return (await place.sql('SELECT leader_id FROM S.river_leader WHERE expires_at > now()'))[0]?.['leader_id'];
}
