/** What the process that makes HTTP load is told and what it tells. It is the wire between two of our processes only. */

/** A closed loop of one kind of request: the next as soon as one ends. */
export interface HttpOrder {
  readonly port: number;
  readonly connections: number;
  readonly method: 'GET' | 'PUT' | 'POST';
  /** `{n}` becomes the number of the request. */
  readonly path: string;
  /** Number from 0 again after so many; undefined counts on. */
  readonly names?: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Length of the body that is sent. */
  readonly body_bytes?: number;
  /** A text to send instead. */
  readonly body_text?: string;
  /** How long to begin requests, in seconds. */
  readonly seconds?: number;
  /** How many requests to send, instead of a time. */
  readonly count?: number;
  readonly statuses: readonly number[];
  /** The length that every answer's body must have; not looked at when undefined. */
  readonly answer_bytes?: number;
}

export interface HttpSample {
  readonly count: number;
  readonly seconds: number;
  readonly per_second: number;
  /** Of bodies, in both directions. */
  readonly mib_per_second: number;
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
  /** Processor time of the process that made the load. */
  readonly load_cpu_seconds: number;
}
