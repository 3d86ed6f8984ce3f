/** One job: what it was to do, what became of each attempt, and what can be done now. It looks again until the job has ended. */
import { getJob, type JobDetails } from '@rowlock/client';
import { button, type Child, element } from '../element.ts';
import { failedState } from '../empty-state.ts';
import { addressOfPage } from '../page.ts';
import { refreshWhileVisible } from '../refresh-while-visible.ts';
import { attempt, type ViewContext } from '../view.ts';
import { visibleName } from '../visible-name.ts';
import { actionNames, actionsFor, actOnIds } from './job-actions.ts';
import { stateBadge } from './job-list.ts';
import { exactMoment, nearMoment, timelineOf } from './job-wording.ts';

/** Makes the view and fills it. */
export function jobDetailsView(context: ViewContext, id: string): HTMLElement {
  const heading = element('h1', { tabindex: '-1' }, `Job ${id}`);
  const badge = element('span', {});
  const buttons = element('span', { class: 'head-actions' });
  const body = element('div', { class: 'content job-details', 'aria-busy': 'true' });
  let shown = '';
  const draw = (job: JobDetails): void => {
    body.removeAttribute('aria-busy');
    const now = JSON.stringify(job);
    // What somebody reads, opens or selects stays while nothing changes.
    if (now === shown) {
      return;
    }
    shown = now;
    heading.replaceChildren(visibleName(job.kind), ` ${job.id}`);
    badge.replaceChildren(stateBadge(job.state));
    buttons.replaceChildren(
      ...actionsFor(job.state).map((action) =>
        button(
          { press: () => void actOnIds(context, action, [id]).then((done) => done && look()) },
          actionNames[action],
        ),
      ),
    );
    body.replaceChildren(factsOf(job), timeline(job), ...errorsOf(job), ...documentsOf(job));
  };
  const look = refreshWhileVisible(context.signal, () =>
    attempt(
      context,
      async () => draw(await getJob(context.client, id)),
      (sentence) => {
        shown = '';
        badge.replaceChildren();
        buttons.replaceChildren();
        body.replaceChildren(failedState(sentence, () => look()));
      },
    ),
  );
  const way = element(
    'nav',
    { 'aria-label': 'Where this is' },
    element(
      'ol',
      { class: 'breadcrumbs' },
      element('li', {}, element('a', { href: addressOfPage('jobs') }, 'Jobs')),
      element('li', {}, element('a', { 'aria-current': 'page' }, id)),
    ),
  );
  return element(
    'section',
    { class: 'view' },
    way,
    element('header', { class: 'view-head' }, heading, badge, buttons),
    body,
  );
}

function fact(name: string, ...value: readonly Child[]): readonly HTMLElement[] {
  return [element('dt', {}, name), element('dd', {}, ...value)];
}

function factsOf(job: JobDetails): HTMLElement {
  return element(
    'dl',
    { class: 'facts job-facts' },
    ...fact('Queue', visibleName(job.queue)),
    ...fact('Attempts', `${job.attempt} of ${job.max_attempts}`),
    ...fact('Priority', `${job.priority} (1 is first, 4 is last)`),
    ...fact('Due', exactMoment(job.scheduled_at)),
    ...(job.tags.length === 0 ? [] : fact('Tags', job.tags.join(', '))),
  );
}

function part(title: string, ...children: readonly Child[]): HTMLElement {
  return element('section', { class: 'part' }, element('h2', {}, title), ...children);
}

function timeline(job: JobDetails): HTMLElement {
  const moments = timelineOf(job).map(({ at, says, failed }) =>
    element(
      'li',
      { class: failed === true ? 'failed' : undefined },
      element('strong', {}, says),
      element('span', { class: 'hint' }, `${exactMoment(at)}, ${nearMoment(at)}`),
    ),
  );
  return part('Timeline', element('ol', { class: 'timeline' }, ...moments));
}

/** The last error first, its trace open. */
function errorsOf({ errors }: JobDetails): readonly HTMLElement[] {
  if (errors.length === 0) {
    return [];
  }
  const each = errors
    .toReversed()
    .map(({ at, attempt: number, error, trace }, place) =>
      element(
        'li',
        {},
        element('p', { class: 'hint' }, `Attempt ${number}, ${exactMoment(at)}`),
        element('p', { class: 'job-error' }, error),
        trace !== null &&
          trace !== '' &&
          element('details', { open: place === 0 }, element('summary', {}, 'Trace'), element('pre', {}, trace)),
      ),
    );
  return [part('Errors', element('ol', { class: 'job-errors' }, ...each))];
}

function documentsOf({ args, metadata, output, logs }: JobDetails): readonly HTMLElement[] {
  const said = (value: unknown): HTMLElement => element('pre', {}, JSON.stringify(value, undefined, 2));
  const isEmpty = (value: unknown): boolean => value === null || JSON.stringify(value) === '{}';
  return [
    part('Args', said(args)),
    ...(isEmpty(output) ? [] : [part('Output', said(output))]),
    ...(logs.length === 0
      ? []
      : [
          part(
            'Logs',
            ...logs
              .toReversed()
              .flatMap(({ attempt: number, log }) => [
                element('p', { class: 'hint' }, `Attempt ${number}`),
                element('pre', {}, log),
              ]),
          ),
        ]),
    ...(isEmpty(metadata) ? [] : [part('Metadata', said(metadata))]),
  ];
}
