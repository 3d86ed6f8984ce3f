/**
 * Named points at which a test can kill, delay or fail the process. Nothing is enabled unless the command line or a
 * test asks for it; then one handler is called with the point's name. It is not a feature switch.
 */

/** Every point: first the steps of our operations, in their order; then calls to the operating system, and to stores. */
export const faultPoints = [
  'upload.before_intent',
  'upload.after_intent',
  'disk.bytes',
  'disk.before_fsync',
  'disk.after_fsync',
  'disk.after_rename',
  's3.before_put',
  's3.after_put',
  's3.after_create',
  's3.part',
  's3.before_complete',
  's3.after_complete',
  'blob.after_chunk',
  'blob.before_finish',
  'blob.after_finish',
  'upload.before_commit',
  'upload.after_commit',
  'delete.before_commit',
  'delete.after_commit',
  'restore.before_commit',
  'restore.after_commit',
  'purge_version.before_commit',
  'purge_version.after_commit',
  'move.before_commit',
  'move.after_commit',
  'copy.before_commit',
  'copy.after_commit',
  'purge.after_begin',
  'purge.after_bytes',
  'purge.after_end',
  'decoder.before_decode',
  'decoder.before_reply',
  'decoder.half_replied',
  'variant.after_intent',
  'variant.before_commit',
  'render.before_read',
  'render.after_intent',
  'render.before_commit',
  'presign.before_record',
  'presign.after_record',
  'complete.before_copy',
  'complete.after_copy',
  'complete.before_commit',
  'complete.after_commit',
  'recheck.before_quarantine',
  'parts.after_intent',
  'parts.after_create',
  'parts.before_complete',
  'parts.after_complete',
  'sweep.after_completions',
  'sweep.after_expiry',
  'sweep.after_enqueue',
  'sweep.after_late_bytes',
  'backend_copy.after_intent',
  'backend_copy.after_bytes',
  'backend_copy.after_switch',
  'backend_copy.after_page',
  'adopt.after_step',
  'adopt.before_switch',
  'adopt.after_switch',
  'adopt.before_give_back',
  'adopt.after_file',
  'adopt.after_batch',
  'adopted.before_render',
  'adopted.after_bytes',
  'fsck.before_page',
  'fsck.after_page',
  'fsck.before_repair',
  'fsck.after_removal',
  'file.open',
  'file.write',
  'file.sync',
  'file.link',
  'file.unlink',
  'file.read',
  'file.stat',
  'file.folder_open',
  'file.folder_make',
  'file.folder_remove',
  'file.folder_sync',
  'file.list',
  'backend.put',
  'backend.put_done',
  'backend.get',
  'backend.read',
  'backend.head',
  'backend.delete',
  'backend.delete_done',
  'backend.parts',
  'backend.parts_done',
  'backend.list',
  'backend.unfinished',
  'backend.presign',
  'backend.check',
] as const;

export type FaultPoint = (typeof faultPoints)[number];

/** May kill the process, wait, or throw; at `file.write`, `short` makes one write take only a part of its bytes. */
export type FaultHandler = (point: FaultPoint) => FaultVerdict | Promise<FaultVerdict>;
// biome-ignore lint/suspicious/noConfusingVoidType: most handlers return nothing at all
export type FaultVerdict = 'short' | void;

let handler: FaultHandler | undefined;

/** Enables fault points for this process; `undefined` disables them again. */
export function enableFaults(wanted: FaultHandler | undefined): void {
  handler = wanted;
}

/** Passes a named point: one comparison when faults are off. */
export function fault(point: FaultPoint): void | Promise<void> {
  const verdict = handler?.(point);
  return verdict instanceof Promise ? verdict.then(() => undefined) : undefined;
}

/** Passes the point before a write: whether the write is to take only a part of its bytes. */
export async function faultAtWrite(): Promise<boolean> {
  return handler !== undefined && (await handler('file.write')) === 'short';
}
