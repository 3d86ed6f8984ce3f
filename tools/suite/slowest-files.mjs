/** Adds up how long the tests of each file took, so that a run can say where its time went. */
import { relative } from 'node:path';

const shownMax = 12;
/** Of fewer files everybody sees it anyway. */
const filesMin = 30;

export class SlowestFiles {
  #milliseconds = new Map();

  /** Counts an event of the test runner; those of tests inside of others are in the others. */
  count({ file, nesting, details }) {
    if (nesting !== 0 || file === undefined) return;
    this.#milliseconds.set(file, (this.#milliseconds.get(file) ?? 0) + details.duration_ms);
  }

  /** Nothing for a short run. */
  lines() {
    if (this.#milliseconds.size < filesMin) return [];
    const slowest = [...this.#milliseconds].sort(([, a], [, b]) => b - a).slice(0, shownMax);
    const total = [...this.#milliseconds.values()].reduce((sum, each) => sum + each, 0);
    return [
      `Seconds in tests: ${inSeconds(total)} in ${this.#milliseconds.size} files. The longest:`,
      ...slowest.map(([file, took]) => `${inSeconds(took).padStart(8)}  ${relative(process.cwd(), file)}`),
    ];
  }
}

function inSeconds(milliseconds) {
  return (milliseconds / 1000).toFixed(1);
}
