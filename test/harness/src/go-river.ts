/**
 * A real Go River for tests: the program of `interop/river-go`, compiled once for each version of River and kept beside
 * the installed packages, told what to do by lines of JSON. It decides nothing; guard its tests with `requires('go')`.
 */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { buildGoProgram } from './go-program.ts';

const run = promisify(execFile);
const waitMs = 30_000;
const stderrKept = 4000;

/** The versions of River that the program builds with, newest first, and what `go build` is given for each. */
const builds: Readonly<Record<string, readonly string[]>> = {
  'v0.51.1': [],
  'v0.43.0': ['-modfile=river-v0.43.0.mod', '-tags=river_v0_43'],
  'v0.26.0': ['-modfile=river-v0.26.0.mod', '-tags=river_v0_26'],
};

/** The versions of River, newest first. */
export const goRiverVersions: readonly string[] = Object.keys(builds);

/** The version that CI requires. */
export const goRiverNewest: string = goRiverVersions[0] ?? '';

/** What the program prints by itself. */
export interface GoEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** A command was refused; `reason` is `not_found`, `job_running`, a SQLSTATE or `other`. */
export class GoRiverError extends Error {
  readonly reason: string;

  constructor(message: string, reason: string) {
    super(message);
    this.name = 'GoRiverError';
    this.reason = reason;
  }
}

interface Line {
  readonly id?: number;
  readonly answer?: unknown;
  readonly error?: string;
  readonly reason?: string;
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Compiles the program for a version, and returns its path. */
export async function buildGoRiver(version: string = goRiverNewest): Promise<string> {
  const flags = builds[version];
  if (flags === undefined) throw new TypeError(`There is no build for River ${version}`);
  return await buildGoProgram({ folder: 'river-go', flags });
}

/** Lets River print goldens of one name. */
export async function goGoldens<Goldens>(name: string, version: string = goRiverNewest): Promise<Goldens> {
  const program = await buildGoRiver(version);
  const { stdout } = await run(program, ['goldens', name], {
    env: { ...process.env, TZ: 'UTC' },
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout) as Goldens;
}

/** A running program. */
export class GoRiver {
  readonly version: string;
  /** Everything that it has printed by itself, in order. */
  readonly events: GoEvent[] = [];
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #exited: Promise<unknown>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #watchers = new Set<() => void>();
  readonly #onEvent: ((event: GoEvent) => void) | undefined;
  #asked = 0;
  #stderr = '';

  private constructor(
    version: string,
    child: ChildProcessByStdio<Writable, Readable, Readable>,
    onEvent: ((event: GoEvent) => void) | undefined,
  ) {
    this.version = version;
    this.#child = child;
    this.#onEvent = onEvent;
    this.#exited = once(child, 'exit').then(() => this.#end());
    child.stdin.on('error', () => this.#end());
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = `${this.#stderr}${text}`.slice(-stderrKept);
    });
    createInterface({ input: child.stdout }).on('line', (line) => this.#heard(line));
  }

  /**
   * Starts it on a database; `schema` is where its commands look. With `onEvent`, events go there as they are printed, and
   * none is kept.
   */
  static async start({
    url,
    schema,
    version = goRiverNewest,
    onEvent,
  }: {
    readonly url: string;
    readonly schema: string;
    readonly version?: string;
    readonly onEvent?: (event: GoEvent) => void;
  }): Promise<GoRiver> {
    const program = await buildGoRiver(version);
    const child = spawn(program, ['serve', url, schema], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, TZ: 'UTC' },
    });
    const river = new GoRiver(version, child, onEvent);
    await river.seen('ready');
    return river;
  }

  /** Gives a command and waits for its answer. Commands run at the same time; await where the order matters. */
  async ask<Answer = unknown>(command: string, given: unknown = {}): Promise<Answer> {
    this.#asked += 1;
    const id = this.#asked;
    const answered = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) this.#end();
    else this.#child.stdin.write(`${JSON.stringify({ id, do: command, with: given })}\n`);
    return (await answered) as Answer;
  }

  /** Resolves with the first event of a name that fits, whether it was printed or will be. */
  async seen(event: string, fits: (one: GoEvent) => boolean = () => true): Promise<GoEvent> {
    return await new Promise<GoEvent>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(look);
        const had = this.events.map((one) => JSON.stringify(one).slice(0, 300)).slice(-30);
        reject(new Error(`Waited ${waitMs} ms in vain for ${event} of Go River; it printed\n${had.join('\n')}`));
      }, waitMs);
      const look = (): void => {
        const found = this.events.find((one) => one.event === event && fits(one));
        if (found === undefined) return;
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve(found);
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** What it has written to standard error last. */
  get complaints(): string {
    return this.#stderr;
  }

  /** Kills it without a word, as a crash does. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** Ends it; what its clients work on is left as it is. Idempotent. */
  async end(): Promise<void> {
    this.#child.stdin.end();
    await this.#exited;
  }

  #heard(line: string): void {
    const said = JSON.parse(line) as Line & GoEvent;
    const waiting = said.id === undefined ? undefined : this.#waiting.get(said.id);
    if (said.id === undefined && this.#onEvent !== undefined && said.event !== 'ready') {
      this.#onEvent(said);
    } else if (said.id === undefined) {
      this.events.push(said);
      for (const watcher of [...this.#watchers]) watcher();
    } else if (waiting !== undefined) {
      this.#waiting.delete(said.id);
      if (said.error === undefined) waiting.resolve(said.answer);
      else waiting.reject(new GoRiverError(`Go River: ${said.error}`, said.reason ?? 'other'));
    }
  }

  #end(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(`Go River has ended: ${this.#stderr}`));
    this.#waiting.clear();
  }
}
