/** A promise that is resolved from outside, once. Promise.withResolvers does the same, but Node 20 has it not. */

/** Something that will have happened. */
export class Latch {
  readonly opened: Promise<void>;
  #open: () => void = () => undefined;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  /** Says that it has happened. Idempotent. */
  open(): void {
    this.#open();
  }
}
