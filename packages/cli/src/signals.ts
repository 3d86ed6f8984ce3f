/** Waits for the signals that mean "stop". A second one, after a moment, means "at once". */

const repeatMs = 1500;

/** Resolves at the first SIGINT or SIGTERM. npm and a terminal may both send one, so a quick second one is the same. */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first: number | undefined;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (first === undefined) {
        first = Date.now();
        resolve(signal);
      } else if (Date.now() - first > repeatMs) {
        process.exit(130);
      }
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}
