/**
 * A number of permits that all puts of one store share, so that a hundred large uploads do not hold a hundred times
 * what one may. Nobody waits here: who gets no permit goes on with what it has. Invariant: never more are out than
 * there are.
 */
export class Gate {
  #free: number;

  constructor(permits: number) {
    this.#free = permits;
  }

  /** Takes a permit; false where none is left. */
  take(): boolean {
    if (this.#free === 0) return false;
    this.#free -= 1;
    return true;
  }

  give(): void {
    this.#free += 1;
  }
}
