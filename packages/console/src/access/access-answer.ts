/** The answer to a question of access: what may be done, command by command, and what each policy said. */
import type { AccessAttempt, AccessExplanation, JudgedPolicy, PolicyVerdict } from '@rowlock/client';
import { element } from '../element.ts';
import { nameInText } from '../visible-name.ts';
import { answerInWords, attemptTitles, outcomeTitles, verdictOf, whyInWords } from './access-words.ts';

export { answerInWords };

/** Makes the answer. */
export function accessAnswer(explanation: AccessExplanation): HTMLElement {
  const { attempts, policies } = explanation;
  const ofKind = (kind: AccessAttempt['kind']): readonly AccessAttempt[] =>
    attempts.filter((each) => each.kind === kind);
  return element(
    'div',
    {},
    element('p', { class: 'access-sentence' }, nameInText(answerInWords(explanation))),
    element('p', { class: 'hint' }, facts(explanation)),
    attemptTable('What they may do', ofKind('action')),
    attemptTable('The same as commands on storage.objects', ofKind('command')),
    element('h3', {}, 'What each policy says'),
    element(
      'p',
      { class: 'hint' },
      'For each command one permissive policy must say yes, and every restrictive one. Only those of the role are asked.',
    ),
    policies.length === 0
      ? element('p', {}, 'No policy names the role, so every row is refused.')
      : element('ul', { class: 'access-policies' }, ...policies.map(judgedPolicy)),
    element(
      'details',
      {},
      element('summary', {}, 'The same in SQL'),
      element('pre', { tabindex: '0' }, element('code', {}, inSql(explanation))),
    ),
  );
}

function facts({ object, bucket, bucket_owner_id, bucket_policy, grants }: AccessExplanation): string {
  const owner = (id: string | null): string => (id === null ? 'nobody' : `“${nameInText(id)}”`);
  const file = object === null ? 'There is no such file.' : `The file belongs to ${owner(object.owner_id)}.`;
  const without = Object.entries(grants).flatMap(([command, granted]) => (granted ? [] : [command.toUpperCase()]));
  const missing = without.length === 0 ? '' : ` Not granted to the role at all: ${without.join(', ')}.`;
  return `${file} The bucket ${bucket} is ${bucket_policy} and belongs to ${owner(bucket_owner_id)}.${missing}`;
}

function attemptTable(caption: string, attempts: readonly AccessAttempt[]): HTMLElement {
  const rows = attempts.map((each) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, attemptTitles[each.attempt]),
      element('td', {}, element('span', { class: `verdict ${each.outcome}` }, outcomeTitles[each.outcome])),
      element('td', { class: 'hint' }, whyInWords(each)),
    ),
  );
  const head = ['What', 'May they', 'Why'].map((title) => element('th', { scope: 'col' }, title));
  return element(
    'table',
    { class: 'access-table' },
    element('caption', {}, caption),
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...rows),
  );
}

const verdictClasses = { yes: 'allowed', no: 'refused', error: 'failed', 'not asked': 'not_applicable' } as const;

function judgedPolicy(policy: JudgedPolicy): HTMLElement {
  const verdict = verdictOf(policy);
  return element(
    'li',
    {},
    element(
      'details',
      {},
      element(
        'summary',
        {},
        element('span', { class: `verdict ${verdictClasses[verdict]}` }, verdict),
        element('code', {}, nameInText(policy.name)),
        element(
          'span',
          { class: 'hint' },
          `${policy.command} on ${policy.table}${policy.permissive ? '' : ', restrictive'}`,
        ),
      ),
      element('p', { class: 'hint' }, said('USING', policy.using), said('WITH CHECK', policy.check)),
      element('pre', { tabindex: '0' }, element('code', {}, policy.definition)),
    ),
  );
}

function said(part: string, verdict: PolicyVerdict | null): string {
  if (verdict === null) return '';
  return `${part}: ${verdict.error ?? verdict.value}. `;
}

/** The statement that asks the same, for whoever has the service role. */
function inSql({ role, claims, bucket, name }: AccessExplanation): string {
  const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  const values = [role, JSON.stringify(claims), bucket, name].map(literal);
  return `SELECT storage.explain_access(${values.join(', ')});`;
}
