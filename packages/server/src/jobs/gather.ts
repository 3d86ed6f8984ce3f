/**
 * Turns calls for one thing into calls for many: what is asked for in one turn of the event loop, or while an earlier
 * call is under way, is asked for together. It knows neither jobs nor SQL. Every call gets its own answer or error, and
 * one call is under way at a time.
 */

/** Answers all items at once, in their order. */
export type ForMany<Item, Answer> = (items: readonly Item[]) => Promise<readonly Answer[]>;

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Makes a function for one item of a function for many. Where that fails, every item that it was asked for fails. */
export function gather<Item, Answer>(forMany: ForMany<Item, Answer>): (item: Item) => Promise<Answer> {
  let waiting: Waiting<Item, Answer>[] = [];
  let isBusy = false;
  const run = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      await answer(batch, forMany);
    }
    isBusy = false;
  };
  return async (item) =>
    await new Promise<Answer>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (isBusy) return;
      isBusy = true;
      setImmediate(() => void run());
    });
}

async function answer<Item, Answer>(
  batch: readonly Waiting<Item, Answer>[],
  forMany: ForMany<Item, Answer>,
): Promise<void> {
  try {
    const answers = await forMany(batch.map(({ item }) => item));
    for (const [index, { resolve }] of batch.entries()) resolve(answers[index] as Answer);
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}
