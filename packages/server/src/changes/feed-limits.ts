/** What following the feed may cost a process: streams, statements, times. It only names the limits. */

export interface FeedLimits {
  /** How often the database is asked while somebody follows. */
  readonly poll_ms: number;
  /** How often otherwise, for the lag and for SQL listeners; never when 0. */
  readonly idle_poll_ms: number;
  /** The longest silence of a stream. Below what proxies take for a dead connection, which is a minute. */
  readonly heartbeat_ms: number;
  /** Streams and waiting pages of the process. */
  readonly streams_max: number;
  /** Streams and waiting pages of one subject, or of one address without a token. */
  readonly streams_per_caller_max: number;
  /** Pages that are read from the database at once. */
  readonly reads_max: number;
  /** Changes that one page of a stream looks at. */
  readonly page_rows: number;
  /** How long a client may take to receive one page. */
  readonly drain_ms: number;
  /** The longest life of a stream whose token does not end before. */
  readonly lifetime_ms: number;
}

export const defaultFeedLimits: FeedLimits = {
  poll_ms: 200,
  idle_poll_ms: 10_000,
  heartbeat_ms: 15_000,
  streams_max: 1000,
  streams_per_caller_max: 20,
  reads_max: 3,
  page_rows: 100,
  drain_ms: 30_000,
  lifetime_ms: 3_600_000,
};
