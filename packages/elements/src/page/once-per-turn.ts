/** Gathers what is asked for many times in one turn of the page, such as a sum over all rows, into one time at its end. */

/** A function that acts once after everything that is running now, however often it is called meanwhile. */
export function oncePerTurn(act: () => void): () => void {
  let isDue = false;
  return () => {
    if (!isDue) {
      isDue = true;
      queueMicrotask(() => {
        isDue = false;
        act();
      });
    }
  };
}
