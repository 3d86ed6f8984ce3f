/**
 * Sends bytes on a connection of their own and takes whatever comes back, as bytes: nothing is parsed but the status, so
 * that nothing can hide from whoever searches. Invariant: it ends by itself, with streams that never do too.
 */
import { connect } from 'node:net';

export interface FuzzAnswer {
  /** Of the last head that came; undefined where the connection was closed without a word. */
  readonly status: number | undefined;
  readonly bytes: Buffer;
  /** Whether the server closed; false for a stream that was left, or a server that hangs. */
  readonly isWhole: boolean;
}

/** Most of an answer that is kept; nothing private is as long. */
const bytesMax = 4 * 2 ** 20;

/** Sends a request and reads until the server closes, or for `patienceMs` after the last byte. */
export function answerTo(url: string, bytes: Buffer, patienceMs: number): Promise<FuzzAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const socket = connect({ host: hostname, port: Number(port) });
    const end = (isWhole: boolean): void => {
      socket.destroy();
      const all = Buffer.concat(chunks);
      resolve({ status: statusOf(all), bytes: all, isWhole });
    };
    socket.setTimeout(patienceMs, () => end(false));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > bytesMax) end(true);
    });
    socket.on('close', () => end(true));
    socket.on('error', () => end(true)); // a reset; what had come stays
    socket.write(bytes);
  });
}

/** Heads of interim answers come first. */
function statusOf(answer: Buffer): number | undefined {
  const text = answer.subarray(0, 4096).toString('latin1');
  const statuses = [...text.matchAll(/(?:^|\r\n\r\n)HTTP\/1\.[01] (\d{3})/g)].map(([, status]) => Number(status));
  return statuses.find((status) => status >= 200) ?? statuses.at(-1);
}
