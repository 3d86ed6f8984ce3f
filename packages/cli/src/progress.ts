/** A progress bar for transfers that take a while, on a terminal only; elsewhere nothing is drawn. */
import { formatBytes, formatSeconds } from './format.ts';

export interface Progress {
  add(bytes: number): void;
  end(): void;
}

/** Smaller files are over before a bar is read. */
const barFromBytes = 8 * 2 ** 20;
const redrawMs = 100;

const none: Progress = { add: () => undefined, end: () => undefined };

/** Starts a bar for a transfer of a known size. */
export function startProgress(label: string, total: number, stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY || total < barFromBytes) {
    return none;
  }
  const begin = performance.now();
  let done = 0;
  let drawn = 0;
  const draw = (): void => {
    const seconds = (performance.now() - begin) / 1000;
    const rate = done / Math.max(seconds, 0.001);
    const width = 24;
    const full = Math.round((done / total) * width);
    const rest = rate === 0 ? '' : ` ${formatSeconds((total - done) / rate)} left`;
    const bar = `${'#'.repeat(full)}${'.'.repeat(width - full)}`;
    stream.write(
      `\r\x1b[K${label.slice(-30)} [${bar}] ${Math.floor((done / total) * 100)}% ${formatBytes(rate)}/s${rest}`,
    );
  };
  return {
    add(bytes) {
      done += bytes;
      if (performance.now() - drawn > redrawMs) {
        drawn = performance.now();
        draw();
      }
    },
    end() {
      stream.write('\r\x1b[K');
    },
  };
}
