/** Does one thing after another to many, a few at a time. What fails is said at the end and stops nothing else. */
import { isRowlockError, type RowlockError } from '@rowlock/client';

export interface Failed<Item> {
  readonly item: Item;
  readonly error: RowlockError;
}

/** Requests that go out at once: browsers have six connections to one host. */
const atOnce = 5;

/** Does the work for every item; answers those whose work the service refused. Anything else that goes wrong is thrown. */
export async function inParallel<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<unknown>,
): Promise<readonly Failed<Item>[]> {
  const failed: Failed<Item>[] = [];
  const waiting = items.values();
  const takeOne = async (): Promise<void> => {
    for (const item of waiting) {
      await work(item).catch((error: unknown) => {
        if (!isRowlockError(error)) {
          throw error;
        }
        failed.push({ item, error });
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, takeOne));
  return failed;
}
