/** A closed loop of requests over keep-alive connections, and what it measured. */
import { Agent, request } from 'node:http';

export interface Sample {
  /** Requests a second. */
  readonly rate: number;
  readonly mib_per_second: number;
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
  readonly count: number;
  readonly seconds: number;
}

export interface Call {
  readonly url: string;
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** The value below which a share of sorted numbers lies. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Sends one request and reads its answer to the end. Answers the bytes that were read. */
export function send(agent: Agent, call: Call): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...call.headers,
      ...(call.body === undefined ? {} : { 'content-length': String(call.body.byteLength) }),
    };
    const sent = request(call.url, { agent, method: call.method, headers }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.byteLength;
      });
      response.on('error', reject);
      response.on('end', () => {
        if ((response.statusCode ?? 500) < 300) {
          resolve(bytes);
        } else {
          reject(new Error(`${call.method} ${call.url.split('?')[0]} answered ${response.statusCode}`));
        }
      });
    });
    sent.on('error', reject);
    sent.end(call.body);
  });
}

/** Runs calls in a closed loop for a while: `connections` at once, the next as soon as one ends. */
export async function closedLoop(connections: number, seconds: number, next: (i: number) => Call): Promise<Sample> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const durations: number[] = [];
  let bytes = 0;
  let started = 0;
  const begin = performance.now();
  const deadline = begin + seconds * 1000;
  const worker = async (): Promise<void> => {
    while (performance.now() < deadline) {
      const call = next(started);
      started += 1;
      const at = performance.now();
      const answered = await send(agent, call);
      bytes += answered + (call.body?.byteLength ?? 0);
      durations.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  const elapsed = (performance.now() - begin) / 1000;
  agent.destroy();
  durations.sort((a, b) => a - b);
  return {
    rate: durations.length / elapsed,
    mib_per_second: bytes / elapsed / 2 ** 20,
    p50_ms: percentile(durations, 0.5),
    p95_ms: percentile(durations, 0.95),
    p99_ms: percentile(durations, 0.99),
    count: durations.length,
    seconds: elapsed,
  };
}
