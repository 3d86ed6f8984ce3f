/**
 * The one union of everything that the process reports. Logs and metrics are two switches over it. No token, secret,
 * presigned URL or object name goes into a metric label, and none of the first three into a log.
 */

export type Observation =
  | {
      readonly type: 'request';
      readonly method: string;
      readonly route: string;
      readonly status: number;
      readonly duration_ms: number;
      readonly request_id: string;
      readonly reason?: string | undefined;
      readonly bytes_in?: number | undefined;
      readonly bytes_out?: number | undefined;
    }
  | { readonly type: 'internal_error'; readonly where: string; readonly error: unknown; readonly request_id?: string }
  | {
      readonly type: 'job';
      readonly kind: string;
      readonly outcome: string;
      readonly duration_ms: number;
      readonly error?: unknown;
    }
  | { readonly type: 'queue'; readonly message: string; readonly error?: unknown }
  | {
      readonly type: 'sweep';
      readonly enqueued: number;
      readonly completed: number;
      readonly quarantined: number;
      readonly expired: number;
      readonly requeued: number;
      readonly forgotten: number;
    }
  | {
      readonly type: 'backend_call';
      readonly backend: string;
      readonly call: string;
      readonly outcome: string;
      readonly duration_ms: number;
      readonly bytes: number;
    }
  | {
      readonly type: 'store_events';
      readonly arrived: number;
      readonly rechecked: number;
      readonly adopted: number;
      readonly unknown: number;
      readonly ignored: number;
    }
  | {
      readonly type: 'render';
      /** `failed`: of these bytes none can be made; `broken`: something else went wrong. */
      readonly outcome: 'made' | 'failed' | 'broken';
      /** With reading the source and keeping the picture. */
      readonly duration_ms: number;
    }
  | { readonly type: 'changes_polled'; readonly lag_seconds: number; readonly streams: number }
  | { readonly type: 'changes_sent'; readonly transport: string; readonly count: number }
  | {
      readonly type: 'stream_ended';
      readonly transport: string;
      readonly reason: string;
      readonly duration_ms: number;
    }
  | { readonly type: 'audit'; readonly written: number; readonly dropped: number; readonly error?: unknown }
  | {
      readonly type: 'denied';
      readonly request_id: string;
      readonly role: string;
      readonly subject: string | undefined;
      readonly explanation: string;
    }
  | {
      readonly type: 'health';
      readonly check: string;
      readonly state: 'ok' | 'warn' | 'fail';
      readonly says: string;
      readonly fix?: string | undefined;
    }
  | { readonly type: 'lifecycle'; readonly message: string };

export type Observe = (observation: Observation) => void;
