/**
 * A service in a process of its own, in which one operation can be stopped at any fault point that it passes, while
 * others run, and which can then be killed there or told to go on. Its database is behind a proxy, so that a reply can
 * be lost. A spare process is loaded already, since a kill is wanted every second or so. It knows no operation.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FaultPoint } from '@rowlock/server';
import {
  createMigratedDatabase,
  type FaultProxy,
  startFaultProxy,
  startService,
  type TestService,
} from '@rowlock/test-harness';

/** What a worker is told to do: `purge` the versions `ids`. */
export type Work = 'sweep' | 'purge' | 'fsck';

/** Where an operation is stopped: the n-th time, from 1, that it passes a point. */
export interface Step {
  readonly point: FaultPoint;
  readonly pass: number;
}

export type Command =
  | {
      readonly type: 'listen';
      readonly apiUrl: string;
      readonly workerUrl: string;
      readonly root: string;
      readonly port: number;
    }
  | { readonly type: 'work'; readonly id: number; readonly what: Work; readonly ids?: readonly string[] }
  | { readonly type: 'hold'; readonly at?: Step | undefined }
  | { readonly type: 'continue' | 'passed' };

export type Report =
  | { readonly type: 'listening' | 'armed' }
  | { readonly type: 'held'; readonly point: FaultPoint }
  | { readonly type: 'worked'; readonly id: number; readonly error?: string }
  | { readonly type: 'passed'; readonly points: readonly FaultPoint[] };

export interface HeldService {
  readonly service: TestService;
  readonly proxy: FaultProxy;
  /** Stops the operation that comes to this step, counted from now; with none only counts. */
  holdAt(at: Step | undefined): Promise<void>;
  /** Whether an operation stands there; false when `ended` resolves before. */
  isHeld(ended: Promise<unknown>): Promise<boolean>;
  /** Lets it go on. */
  release(): void;
  /** The points that were passed since `holdAt`, in order. */
  passed(): Promise<readonly FaultPoint[]>;
  /** Has the process work as a worker would: `failed` for whatever a queue would try again, or when it was killed. */
  work(what: Work, ids?: readonly string[]): Promise<'done' | 'failed'>;
  /** SIGKILL, and another process in its place. */
  killAndStart(): Promise<void>;
  stop(): Promise<void>;
}

const program = fileURLToPath(new URL('./interleaving-server.js', import.meta.url));

/** Starts the service. */
export async function startHeldService(): Promise<HeldService> {
  const database = await createMigratedDatabase();
  const proxy = await startFaultProxy({ url: database.apiUrl, adminUrl: database.url });
  // Lends its port, its folder and its configuration, and is away before the process is there.
  const lender = await startService({ workers: false, database });
  await lender.stop();
  const held = new Processes({
    type: 'listen',
    apiUrl: proxy.through(database.apiUrl),
    workerUrl: proxy.through(database.workerUrl),
    root: lender.root,
    port: lender.config.port,
  });
  await held.start();
  const stop = async (): Promise<void> => {
    await held.stop();
    await proxy.close();
    await database.drop();
  };
  return {
    service: { ...lender, stop },
    proxy,
    holdAt: (at) => held.ask({ type: 'hold', at }, 'armed').then(() => undefined),
    isHeld: (ended) => held.isHeld(ended),
    release: () => held.send({ type: 'continue' }),
    passed: async () => (await held.ask({ type: 'passed' }, 'passed')).points,
    work: (what, ids = []) => held.work(what, ids),
    killAndStart: () => held.killAndStart(),
    stop,
  };
}

/** The process that serves, and the one that will. */
class Processes {
  readonly #listen: Command;
  #current: ChildProcess | undefined;
  #spare: ChildProcess;
  #works = 0;

  constructor(listen: Command) {
    this.#listen = listen;
    this.#spare = forked();
  }

  async start(): Promise<void> {
    this.#current = this.#spare;
    this.#spare = forked();
    await this.ask(this.#listen, 'listening');
  }

  async killAndStart(): Promise<void> {
    await end(this.#current);
    await this.start();
  }

  async stop(): Promise<void> {
    await end(this.#current);
    await end(this.#spare);
  }

  send(command: Command): void {
    this.#current?.send(command);
  }

  /** Sends a command and waits for its report, or fails with the process. */
  ask<Type extends Report['type']>(command: Command, type: Type): Promise<Extract<Report, { type: Type }>> {
    const answered = this.#next((report) => report.type === type, { timeoutMs: 30_000 });
    this.send(command);
    return answered as Promise<Extract<Report, { type: Type }>>;
  }

  async isHeld(ended: Promise<unknown>): Promise<boolean> {
    const over = new AbortController();
    const held = this.#next((report) => report.type === 'held', { timeoutMs: 20_000, signal: over.signal });
    const isOver = ended.then(() => over.abort());
    const report = await held;
    if (report === undefined) await isOver;
    return report !== undefined;
  }

  async work(what: Work, ids: readonly string[]): Promise<'done' | 'failed'> {
    this.#works += 1;
    const id = this.#works;
    const worked = this.#next((report) => report.type === 'worked' && report.id === id, { timeoutMs: 30_000 });
    this.send({ type: 'work', id, what, ids });
    const report = await worked.catch((error: unknown) => {
      if (error instanceof ProcessEnded) return undefined;
      throw error;
    });
    return report?.type === 'worked' && report.error === undefined ? 'done' : 'failed';
  }

  /** The next report of a kind from the process that serves now; `undefined` when the signal is given before. */
  #next(
    isWanted: (report: Report) => boolean,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<Report | undefined> {
    const child = this.#current;
    assert.ok(child, 'a process serves');
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(() => reject(new Error('Waited in vain for the process'))), timeoutMs);
      const onMessage = (report: Report): void => {
        if (isWanted(report)) settle(() => resolve(report));
      };
      const onExit = (): void => settle(() => reject(new ProcessEnded('the process has ended')));
      const onAbort = (): void => settle(() => resolve(undefined));
      const settle = (how: () => void): void => {
        clearTimeout(timer);
        child.off('message', onMessage).off('exit', onExit);
        signal?.removeEventListener('abort', onAbort);
        how();
      };
      child.on('message', onMessage).on('exit', onExit);
      signal?.addEventListener('abort', onAbort);
    });
  }
}

class ProcessEnded extends Error {}

function forked(): ChildProcess {
  return fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
