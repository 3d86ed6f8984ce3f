/**
 * The line protocol of an engine: one JSON command a line on standard input, one JSON answer a line on standard output.
 * What an engine does is its own; here is what all have in common: counting jobs that are finalised, and inserting at a
 * steady rate. Times are milliseconds since 1970 with fractions.
 */
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';

export const now = () => performance.timeOrigin + performance.now();

/** Notices how jobs fare. A job of a backlog is only counted; one of a paced run tells when it was due. */
export class Tally {
  #finalised = 0;
  #startDelays = [];
  #finalisedDelays = [];
  #waiting;

  /** A handler has begun. `at` is when the job was due, 0 for one of a backlog. */
  started(at) {
    if (at > 0) this.#startDelays.push(now() - at);
  }

  /** The result of a job is recorded. */
  finalised(at) {
    this.#finalised += 1;
    if (at > 0) this.#finalisedDelays.push(now() - at);
    if (this.#waiting !== undefined && this.#finalised >= this.#waiting.count) this.#waiting.resolve();
  }

  reset() {
    this.#finalised = 0;
    this.#startDelays = [];
    this.#finalisedDelays = [];
  }

  /** Resolves when so many have been finalised since the last reset. */
  async all(count) {
    if (this.#finalised >= count) return;
    await new Promise((resolve) => {
      this.#waiting = { count, resolve };
    });
    this.#waiting = undefined;
  }

  get delays() {
    return { start_ms: this.#startDelays, finalised_ms: this.#finalisedDelays };
  }
}

/**
 * Serves an engine: `start({ max_workers, tuned, sleep_ms })`, `stop()`, `insert(at)` of one job, `fill(n)` of a backlog.
 *
 * Commands: `start`, `stop`, `fill` with `n` jobs, `drain` of `n` jobs that are there already (from the start of the
 * workers to the last result), `pace` with `n` jobs at `per_second`.
 */
export async function serve(engine, tally) {
  const commands = {
    start: async (command) => await engine.start(command),
    stop: async () => await engine.stop(),
    fill: async ({ n }) => await engine.fill(n),
    async drain(command) {
      tally.reset();
      const begun = now();
      await engine.start(command);
      await tally.all(command.n);
      const seconds = (now() - begun) / 1000;
      await engine.stop();
      return { seconds };
    },
    async pace({ n, per_second: perSecond }) {
      tally.reset();
      const begun = now();
      const inserts = [];
      for (let i = 0; i < n; i += 1) {
        const due = begun + (i * 1000) / perSecond;
        if (due > now()) await wait(due - now());
        inserts.push(engine.insert(due));
      }
      await Promise.all(inserts);
      await tally.all(n);
      return tally.delays;
    },
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    let answer;
    try {
      answer = (await commands[command.do](command)) ?? {};
    } catch (error) {
      answer = { error: String(error?.stack ?? error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  await engine.end();
}
