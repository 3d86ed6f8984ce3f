/**
 * Tells at the end which optional suites ran and which were skipped, and why.
 * It looks for no tool itself: the harness notes what was asked for, and the
 * test events say how many tests were skipped for it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const skipPattern = /^needs (\S+): (.*)$/s;

/** Collects, during a run, what its last lines need. `folder` is a temporary one. */
export class RequirementsReport {
  file;
  skipped = new Map();

  constructor(folder) {
    this.file = join(folder, 'requirements.jsonl');
  }

  /** Counts a test that was skipped because a tool is missing. */
  count(skip) {
    const [, name] = (typeof skip === 'string' && skipPattern.exec(skip)) || [];
    if (name !== undefined) this.skipped.set(name, (this.skipped.get(name) ?? 0) + 1);
  }

  /** One line for what ran and one for what did not; none if nothing optional was asked for. */
  lines() {
    const asked = [...this.#asked()];
    const ran = asked.filter(([, missing]) => missing === null).map(([name]) => name);
    const skipped = asked
      .filter(([, missing]) => missing !== null)
      .map(([name, missing]) => `${name} (${countOf(this.skipped.get(name) ?? 0)}: ${missing})`);
    return [
      ...(ran.length > 0 ? [`optional suites that ran: ${ran.join(', ')}`] : []),
      ...(skipped.length > 0 ? [`skipped: ${skipped.join(', ')}`] : []),
    ];
  }

  /** Names in ROWLOCK_REQUIRE that no test asked for: a misspelling, or a suite that went missing. */
  neverAsked(required) {
    const asked = this.#asked();
    return required.filter((name) => !asked.has(name));
  }

  #asked() {
    if (!existsSync(this.file)) return new Map();
    const entries = readFileSync(this.file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    return new Map(entries.map(({ name, missing }) => [name, missing]).sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

function countOf(tests) {
  return tests === 1 ? '1 test' : `${tests} tests`;
}
