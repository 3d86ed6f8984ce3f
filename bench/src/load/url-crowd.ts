/** What the process that plays a crowd of clients is told and what it tells. It is the wire between two of our processes only. */

/** Everybody asks once, all at the same time, for the URL of a file of their own. */
export interface UrlCrowdOrder {
  readonly port: number;
  /** A bearer token for each client. */
  readonly tokens: readonly string[];
}

export interface UrlCrowdSample {
  /** From asking, with connecting, to having the URL. */
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
  /** From asking to knowing the number of the request. */
  readonly asked_p99_ms: number;
  /** How often all of them looked for their URLs. */
  readonly looks: number;
  readonly seconds: number;
  /** Processor time of the process that played them. */
  readonly load_cpu_seconds: number;
}
