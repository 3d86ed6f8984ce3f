/**
 * What notifications about leadership say. They are hints: anybody may send one, and some are lost. What is true is in
 * the table.
 */

/** What a client can be told. */
export type ElectionNews =
  | { readonly kind: 'resigned'; readonly leader_id: string }
  /** Somebody wants the leader to resign: the one named, or whoever it is where the name is empty. */
  | { readonly kind: 'request_resign'; readonly leader_id: string }
  | { readonly kind: 'nothing' };

/** Reads the payload of a notification. Whatever it is not, is nothing to act on. */
export function electionNews(payload: string): ElectionNews {
  let message: unknown;
  try {
    message = JSON.parse(payload);
  } catch {
    return { kind: 'nothing' }; // anybody may notify, with whatever they like
  }
  if (typeof message !== 'object' || message === null) return { kind: 'nothing' };
  const { action, leader_id = '' } = message as { readonly action?: unknown; readonly leader_id?: unknown };
  if (typeof leader_id !== 'string') return { kind: 'nothing' };
  return action === 'resigned' || action === 'request_resign' ? { kind: action, leader_id } : { kind: 'nothing' };
}
