/**
 * The page about access: may this caller do that, and which policy says so; the links that live; the policies themselves.
 * It shows what the service answers, and decides nothing.
 */
import { type AccessQuestion, explainAccess, listPolicies } from '@rowlock/client';
import { element } from '../element.ts';
import { failedState } from '../empty-state.ts';
import { announce } from '../status-line.ts';
import { attempt, type ViewContext } from '../view.ts';
import { accessAnswer, answerInWords } from './access-answer.ts';
import { linkList } from './link-list.ts';
import { policyList } from './policy-list.ts';
import { QuestionForm } from './question-form.ts';

/** Makes the view; `about` may name a bucket and, behind it, an object to ask about. */
export function accessView(context: ViewContext, about: readonly string[]): HTMLElement {
  const [bucket = '', ...segments] = about;
  const answer = element('div', { class: 'access-answer' });
  const policies = element('div', { 'aria-busy': 'true' });
  const ask = (question: AccessQuestion): Promise<void> =>
    attempt(
      context,
      async () => {
        const explanation = await explainAccess(context.client, question);
        answer.replaceChildren(accessAnswer(explanation));
        announce(answerInWords(explanation), { visible: false });
      },
      (sentence) => answer.replaceChildren(element('p', { class: 'problem', role: 'alert' }, sentence)),
    );
  const form = new QuestionForm({ bucket, name: segments.join('/') }, ask);
  const load = (): Promise<void> =>
    attempt(
      context,
      async () => {
        const [shown, buckets] = await Promise.all([listPolicies(context.client), context.client.listBuckets()]);
        form.offer(
          shown.roles,
          buckets.map(({ id }) => id),
        );
        policies.replaceChildren(policyList(shown.policies));
        policies.removeAttribute('aria-busy');
      },
      (sentence) => policies.replaceChildren(failedState(sentence, () => void load())),
    );
  void load();
  return element(
    'section',
    { class: 'view access' },
    element('header', { class: 'view-head' }, element('h1', { tabindex: '-1' }, 'Access')),
    part('may', 'May they?', 'Each thing is tried in the database as that caller, and undone.', form.element, answer),
    part(
      'links',
      'Links',
      'Links that are counted or kept on the list. Revoked, they open nothing.',
      linkList(context),
    ),
    part('policies', 'Policies', 'What every caller is judged by, as SQL.', policies),
  );
}

function part(id: string, title: string, hint: string, ...children: readonly HTMLElement[]): HTMLElement {
  const heading = element('h2', { id: `access-${id}` }, title);
  const attributes = { class: 'access-part', 'aria-labelledby': heading.id };
  return element('section', attributes, heading, element('p', { class: 'hint' }, hint), ...children);
}
