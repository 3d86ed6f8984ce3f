/**
 * A real Go River as the peer of our queue: the program of `interop/river-go`, compiled on first use, told what to do by
 * lines of JSON. It works the queue `bench` with handlers that do nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { buildGoRiver, goRiverNewest } from '@rowlock/test-harness';
import { keep } from '../measure/kept-processes.ts';

/** A running program. */
export class GoRiver {
  readonly #child: ChildProcess;
  readonly #answers: Interface;
  readonly #exited: Promise<undefined>;

  private constructor(child: ChildProcess, answers: Interface) {
    this.#child = child;
    this.#answers = answers;
    this.#exited = once(child, 'exit').then(() => undefined);
  }

  /** Compiles and starts it on a schema that is migrated. */
  static async start(url: string, schema: string): Promise<GoRiver> {
    const program = await buildGoRiver();
    const pooled = new URL(url);
    pooled.searchParams.set('pool_max_conns', '16');
    const child = keep(spawn(program, ['bench', pooled.href, schema], { stdio: ['pipe', 'pipe', 'ignore'] }));
    if (child.stdout === null) throw new Error('Go River has no output');
    return new GoRiver(child, createInterface({ input: child.stdout }));
  }

  /** The version of River that it was compiled from. */
  static version(): string {
    return goRiverNewest.slice(1);
  }

  /** Gives a command and waits for its answer. */
  async do<Answer>(command: Readonly<Record<string, unknown>>): Promise<Answer> {
    const answered = once(this.#answers, 'line') as Promise<[string]>;
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
    const line = await Promise.race([answered, this.#exited]);
    if (line === undefined) throw new Error('Go River has ended');
    const answer = JSON.parse(line[0]) as Answer & { readonly error?: string };
    if (answer.error !== undefined) throw new Error(`Go River: ${answer.error}`);
    return answer;
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exited;
  }
}
