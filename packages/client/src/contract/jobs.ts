/** The queue on the wire, as operators see it, and how the storage fares. Only the service role asks. Times are ISO 8601. */

export type JobState =
  | 'available'
  | 'cancelled'
  | 'completed'
  | 'discarded'
  | 'pending'
  | 'retryable'
  | 'running'
  | 'scheduled';

/** Which jobs; what is left out does not matter. */
export interface JobFilter {
  readonly state?: JobState | undefined;
  readonly queue?: string | undefined;
  readonly kind?: string | undefined;
}

/** One queue. A number of jobs above `counted_to` of the overview means "more than that". */
export interface QueueFacts {
  readonly name: string;
  /** Whether a worker has served it; only then it can be paused. */
  readonly is_known: boolean;
  readonly paused_at: string | null;
  /** Of jobs that have not ended; a state without any is absent. */
  readonly counts: Readonly<Partial<Record<JobState, number>>>;
  /** How long the oldest that could run has been waiting; null where none is. */
  readonly oldest_due_seconds: number | null;
  readonly completed_per_second: number;
  /** From when jobs were due to their end, of those of the last minute; null where there were none. */
  readonly p50_seconds: number | null;
  readonly p95_seconds: number | null;
  /** Workers of ours that serve it now. */
  readonly workers: number;
}

export interface JobOverview {
  readonly at: string;
  readonly counted_to: number;
  readonly states: Readonly<Record<JobState, number>>;
  readonly queues: readonly QueueFacts[];
  readonly kinds: readonly string[];
  readonly workers: readonly {
    readonly client_id: string;
    readonly queues: readonly string[];
    readonly is_alive: boolean;
    readonly seen_seconds_ago: number;
  }[];
  readonly leader: { readonly client_id: string; readonly elected_at: string } | null;
}

/** One job in a list. */
export interface JobLine {
  readonly id: string;
  readonly kind: string;
  readonly queue: string;
  readonly state: JobState;
  readonly attempt: number;
  readonly max_attempts: number;
  /** 1 is first, 4 is last. */
  readonly priority: number;
  readonly tags: readonly string[];
  readonly created_at: string;
  readonly scheduled_at: string;
  readonly attempted_at: string | null;
  readonly finalized_at: string | null;
  readonly error_count: number;
  readonly last_error: string | null;
  /** When its worker was asked to stop, of a job that runs. */
  readonly cancel_requested_at: string | null;
  readonly args_begin: string;
}

export interface JobPage {
  readonly jobs: readonly JobLine[];
  /** Goes on behind this page; null at the end. A page may be short, or empty, and not be the last. */
  readonly next_cursor: string | null;
}

/** All of a job, without secrets. Of what is too large only its size is told. */
export interface JobDetails extends JobLine {
  readonly args: unknown;
  readonly metadata: unknown;
  readonly output: unknown;
  readonly attempted_by: readonly string[] | null;
  readonly errors: readonly {
    readonly at: string;
    readonly attempt: number;
    readonly error: string;
    readonly trace: string | null;
  }[];
  readonly logs: readonly { readonly attempt: number; readonly log: string }[];
}

export type JobAction = 'retry' | 'cancel' | 'delete';

/** What was done, and what was not: a job that runs is not deleted or retried, one that ended not cancelled. */
export interface JobsChanged {
  readonly changed: readonly string[];
  readonly unchanged: readonly {
    readonly id: string;
    readonly why: 'not_found' | 'running' | 'due' | 'ended' | 'unique_key_held';
  }[];
  /** Of a filter: where to go on; null when all were looked at. */
  readonly next_cursor?: string | null;
}

/** What one bucket, owner or media type has. */
export interface KeptAmount {
  /** Null for objects without an owner. */
  readonly name: string | null;
  readonly objects: number;
  readonly bytes: number;
}

export interface StorageHealth {
  readonly at: string;
  readonly kept: {
    /** Whether it is of a sample of the objects. */
    readonly is_estimate: boolean;
    readonly objects: number;
    readonly bytes: number;
    readonly buckets: readonly KeptAmount[];
    readonly owners: readonly KeptAmount[];
    readonly media_types: readonly KeptAmount[];
  };
  /** All bytes: older versions, thumbnails, and what waits to be purged as well. */
  readonly backends: readonly { readonly name: string; readonly versions: number; readonly bytes: number }[];
  readonly quotas: readonly {
    readonly scope: 'bucket' | 'owner';
    readonly bucket_id: string | null;
    readonly owner_id: string | null;
    readonly bytes_used: number;
    readonly bytes_reserved: number;
    readonly bytes_max: number | null;
    readonly objects_used: number;
    readonly objects_reserved: number;
    readonly objects_max: number | null;
    /** 0 to 1, of the tighter limit. */
    readonly fullness: number;
  }[];
  /** The last run for each backend; `findings` counts by kind what is not repaired. */
  readonly fsck: readonly {
    readonly backend: string;
    readonly scrub: boolean;
    readonly phase: string;
    readonly started_at: string;
    readonly ended_at: string | null;
    readonly findings: Readonly<Record<string, number>>;
  }[];
  readonly upkeep: {
    readonly expired_uploads: number;
    readonly overdue_versions: number;
    readonly quarantined: number;
    readonly unchecked: number;
  };
  readonly tables: readonly {
    readonly name: string;
    readonly rows_live: number;
    readonly rows_dead: number;
    readonly bytes: number;
    readonly vacuumed_at: string | null;
  }[];
  readonly database: { readonly bytes: number; readonly version: string };
  /** How long this report took the database. */
  readonly database_milliseconds: number;
  readonly stores: readonly { readonly name: string; readonly ok: boolean; readonly milliseconds: number | null }[];
  /** A month of what is stored; null where no prices are known. */
  readonly costs: {
    readonly as_of: string;
    readonly currency: string;
    readonly bytes: number;
    readonly places: readonly { readonly name: string; readonly title: string; readonly total: number }[];
  } | null;
  /** What the look at the service's start did not like. */
  readonly concerns: readonly {
    readonly check: string;
    readonly state: string;
    readonly says: string;
    readonly fix?: string;
  }[];
}
