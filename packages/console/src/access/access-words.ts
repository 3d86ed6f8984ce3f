/** What an attempt and a policy came to, in words. It makes no elements. */
import type { AccessAttempt, AccessExplanation, JudgedPolicy } from '@rowlock/client';

export const attemptTitles: Readonly<Record<AccessAttempt['attempt'], string>> = {
  see_bucket: 'See the bucket',
  read: 'Read the file',
  sign: 'Make a link',
  upload: 'Upload',
  overwrite: 'Overwrite',
  move: 'Rename or move',
  delete: 'Delete',
  select: 'SELECT',
  insert: 'INSERT',
  update: 'UPDATE',
};

export const outcomeTitles: Readonly<Record<AccessAttempt['outcome'], string>> = {
  allowed: 'Yes',
  refused: 'No',
  not_applicable: 'Not asked',
  failed: 'It failed',
};

const whys: Readonly<Record<string, string>> = {
  object_not_found: 'Policies hide the file.',
  bucket_not_found: 'Policies hide the bucket.',
  not_allowed: 'No policy allows it, or one forbids it.',
  object_exists: 'A file that they do not see has the name.',
  unavailable: 'The row is being changed by somebody; ask again.',
};

/** Why an attempt ended as it did; nothing for what was allowed. */
export function whyInWords({ outcome, reason, message, kind, attempt }: AccessAttempt): string {
  switch (outcome) {
    case 'allowed':
      return '';
    case 'not_applicable':
      return reason === 'object_exists' ? 'There is a file: see “Overwrite”.' : 'There is no such file.';
    case 'failed':
      return message ?? 'The database gave no reason.';
    default:
      if (kind === 'command' && attempt !== 'select' && message === undefined) return 'It found no row to change.';
      return whys[reason ?? ''] ?? message ?? '';
  }
}

/** Whether a policy speaks for the caller here: both of its expressions say yes, as far as it asks them. */
export function verdictOf({ using, check }: JudgedPolicy): 'yes' | 'no' | 'error' | 'not asked' {
  const values = [using, check].flatMap((verdict) => (verdict === null ? [] : [verdict.value]));
  if (values.length === 0) return 'not asked';
  if (values.includes('error')) return 'error';
  return values.every((value) => value === 'true') ? 'yes' : 'no';
}

/** The whole answer as one sentence. */
export function answerInWords({ role, claims, name, attempts, row_security }: AccessExplanation): string {
  const actions = attempts.filter(({ kind }) => kind === 'action');
  const allowed = actions.filter(({ outcome }) => outcome === 'allowed');
  const who = typeof claims['sub'] === 'string' ? `${claims['sub']} (${role})` : role;
  if (!row_security) return `${who} is not bound by policies.`;
  if (allowed.length === 0) return `${who} may do nothing with ${name}.`;
  const titles = allowed.map(({ attempt }) => attemptTitles[attempt].toLowerCase());
  return `${who} may: ${titles.join(', ')}.`;
}
