/**
 * Asks for something again and again while somebody can see it: never while the page is hidden, never twice at once, and
 * seldom where an answer takes long, so that whoever looks costs the database at most a twentieth of its time.
 */

const periodMs = 2000;

/** Asks at once, then every two seconds until the signal ends; `work` tells its own failures. Returns what asks now. */
export function refreshWhileVisible(signal: AbortSignal, work: () => Promise<void>): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let underWay = false;
  let isWanted = false;
  const run = async (): Promise<void> => {
    clearTimeout(timer);
    if (underWay) {
      isWanted = true;
      return;
    }
    underWay = true;
    isWanted = false;
    const begun = performance.now();
    try {
      await work();
    } finally {
      underWay = false;
      if (!signal.aborted && !document.hidden) {
        timer = setTimeout(() => void run(), isWanted ? 0 : Math.max(periodMs, 20 * (performance.now() - begun)));
      }
    }
  };
  document.addEventListener(
    'visibilitychange',
    () => {
      clearTimeout(timer);
      if (!document.hidden) {
        void run();
      }
    },
    { signal },
  );
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  void run();
  return () => void run();
}
