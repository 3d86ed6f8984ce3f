/** What a check found: one line of `rowlock doctor`, and a reason for `rowlock serve` not to start. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warn' | 'fail';
  readonly says: string;
  /** A command or a setting. */
  readonly fix?: string;
}

/** Makes a finding. */
export function finding(check: string, state: Finding['state'], says: string, fix?: string): Finding {
  return { check, state, says, ...(fix === undefined ? {} : { fix }) };
}
