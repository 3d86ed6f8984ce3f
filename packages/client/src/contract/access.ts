/** Who may do what, and why, on the wire. Only the service role asks. */

/** Who asks, as the service understood their token. */
export interface CallerFacts {
  readonly role: string;
  readonly subject: string | null;
  /** Whether pages and routes of the service itself are theirs. */
  readonly is_service: boolean;
  /** ISO 8601; null without a token. */
  readonly expires_at: string | null;
}

export type AccessAttemptName =
  | 'see_bucket'
  | 'read'
  | 'sign'
  | 'upload'
  | 'overwrite'
  | 'move'
  | 'delete'
  | 'select'
  | 'insert'
  | 'update';

/** One thing that was tried as the caller, and undone. */
export interface AccessAttempt {
  readonly attempt: AccessAttemptName;
  /** Whether it is a thing that the API does, or a bare command of SQL. */
  readonly kind: 'action' | 'command';
  /** What policies saw in `storage.operation()`. */
  readonly operation: string;
  readonly outcome: 'allowed' | 'refused' | 'not_applicable' | 'failed';
  readonly reason?: string;
  /** In the words of the database. */
  readonly message?: string;
  readonly sqlstate?: string;
}

/** What an expression of a policy came to. */
export interface PolicyVerdict {
  readonly value: 'true' | 'false' | 'null' | 'error';
  readonly error?: string;
}

/** A policy as the SQL that makes it. */
export interface PolicyText {
  readonly table: string;
  readonly name: string;
  readonly command: 'ALL' | 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';
  /** One permissive policy must say yes, and every other. */
  readonly permissive: boolean;
  readonly roles: readonly string[];
  readonly definition: string;
}

/** A policy that the caller's role is judged by, with what it said. */
export interface JudgedPolicy extends PolicyText {
  /** Of the row that is there; null without one, and for a policy that asks no such thing. */
  readonly using: PolicyVerdict | null;
  /** Of the row that would be written. */
  readonly check: PolicyVerdict | null;
}

/** What a caller may do with one object, and what each policy says. */
export interface AccessExplanation {
  readonly role: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly bucket: string;
  readonly name: string;
  readonly object: {
    readonly id: string;
    readonly owner_id: string | null;
    readonly size: number;
    readonly content_type: string;
  } | null;
  readonly bucket_owner_id: string | null;
  readonly bucket_policy: string;
  /** False for a role that policies do not bind. */
  readonly row_security: boolean;
  /** The privileges that come before policies. */
  readonly grants: Readonly<Record<'select' | 'insert' | 'update' | 'delete', boolean>>;
  readonly attempts: readonly AccessAttempt[];
  readonly policies: readonly JudgedPolicy[];
}
