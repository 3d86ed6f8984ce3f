/**
 * Named points at which a test can kill, delay or fail the process. Nothing is enabled unless the command line
 * was told to; then one handler is called with the point's name. It is not a feature switch.
 */

/** Every point, in the order in which an upload, a delete and a purge pass them. */
export const faultPoints = [
  'upload.before_intent',
  'upload.after_intent',
  'disk.bytes',
  'disk.before_fsync',
  'disk.after_fsync',
  'disk.after_rename',
  'upload.before_commit',
  'upload.after_commit',
  'delete.before_commit',
  'delete.after_commit',
  'purge.after_begin',
  'purge.after_bytes',
  'purge.after_end',
  'variant.after_intent',
  'variant.before_commit',
] as const;

export type FaultPoint = (typeof faultPoints)[number];

export type FaultHandler = (point: FaultPoint) => void | Promise<void>;

let handler: FaultHandler | undefined;

/** Enables fault points for this process; `undefined` disables them again. */
export function enableFaults(wanted: FaultHandler | undefined): void {
  handler = wanted;
}

/** Passes a named point: one comparison when faults are off. */
export function fault(point: FaultPoint): void | Promise<void> {
  return handler?.(point);
}
