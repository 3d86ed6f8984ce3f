/**
 * The page of jobs: queues with their charts, states with their counts, and the list below. One request every two seconds
 * while somebody looks; the list is asked again when the counts of what it shows have changed. One job is its own view.
 */
import { type JobFilter, type JobOverview, type JobState, jobOverview, pauseQueue } from '@rowlock/client';
import { element } from '../element.ts';
import { addressOfPage } from '../page.ts';
import { refreshWhileVisible } from '../refresh-while-visible.ts';
import { announce } from '../status-line.ts';
import { attempt, type ViewContext } from '../view.ts';
import { nameInText } from '../visible-name.ts';
import { jobDetailsView } from './job-details-view.ts';
import { JobList } from './job-list.ts';
import { jobStates } from './job-wording.ts';
import { queueCards } from './queue-cards.ts';
import { QueueSamples } from './queue-samples.ts';
import { stateTabs } from './state-tabs.ts';

const samples = new QueueSamples();

/** Makes the page, or the view of one job for an address such as `#jobs/120`. */
export function jobsView(context: ViewContext, about: readonly string[]): HTMLElement {
  const [id] = about;
  return id !== undefined && /^\d+$/.test(id) ? jobDetailsView(context, id) : overviewOf(context, filterOf(about));
}

/** Reads `state/discarded/queue/thumbnails`; what is no filter is left out. */
export function filterOf(about: readonly string[]): JobFilter {
  const pairs = new Map(about.flatMap((name, place) => (place % 2 === 0 ? [[name, about[place + 1]] as const] : [])));
  return {
    state: jobStates.find((state) => state === pairs.get('state')),
    queue: pairs.get('queue'),
    kind: pairs.get('kind'),
  };
}

/** Spells a filter so that `filterOf` reads the same. */
export function addressOfFilter({ state, queue, kind }: JobFilter): string {
  const pairs = Object.entries({ state, queue, kind }).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  );
  return addressOfPage('jobs', ...pairs.flat());
}

function chooser(name: string, choose: (value: string | undefined) => void): ReturnType<typeof choices> {
  return choices(element('select', { 'aria-label': name }), name, choose);
}

/** A field with the values that there are, and `update` for other ones. */
function choices(field: HTMLSelectElement, name: string, choose: (value: string | undefined) => void) {
  field.addEventListener('change', () => choose(field.value === '' ? undefined : field.value));
  let offered = '';
  return {
    field,
    update(values: readonly string[], chosen: string | undefined): void {
      const all = chosen === undefined || values.includes(chosen) ? values : [...values, chosen];
      const now = JSON.stringify([all, chosen]);
      if (now !== offered && document.activeElement !== field) {
        offered = now;
        field.replaceChildren(
          element('option', { value: '' }, name),
          ...all.map((value) => element('option', { value, selected: value === chosen }, nameInText(value))),
        );
      }
    },
  };
}

function overviewOf(context: ViewContext, begun: JobFilter): HTMLElement {
  let filter = begun;
  let counted: number | undefined;
  let last: JobOverview | undefined;
  const problem = element('p', { class: 'problem', role: 'alert' });
  const list = new JobList(context, () => look());
  const show = (changes: JobFilter): void => {
    filter = { ...filter, ...changes };
    history.replaceState(null, '', addressOfFilter(filter));
    tabs.choose(filter.state);
    drawChoices();
    counted = countOf(last, filter.state);
    void list.show(filter);
  };
  const tabs = stateTabs((state: JobState | undefined) => show({ state }));
  const queues = chooser('All queues', (queue) => show({ queue }));
  const kinds = chooser('All kinds', (kind) => show({ kind }));
  const drawChoices = (): void => {
    queues.update(last?.queues.map(({ name }) => name) ?? [], filter.queue);
    kinds.update(last?.kinds ?? [], filter.kind);
  };
  const setPaused = (queue: string, isPaused: boolean): void => {
    void attempt(context, async () => {
      await pauseQueue(context.client, queue, isPaused);
      announce(
        isPaused
          ? `${nameInText(queue)} is paused: what runs goes on, nothing new begins.`
          : `${nameInText(queue)} goes on.`,
      );
      look();
    });
  };
  const cards = queueCards(samples, { setPaused, show: (queue) => show({ queue }) });
  const look = refreshWhileVisible(context.signal, () =>
    attempt(
      context,
      async () => {
        last = await jobOverview(context.client);
        problem.textContent = '';
        samples.add(last);
        cards.update(last);
        tabs.update(last);
        drawChoices();
        const count = countOf(last, filter.state);
        counted ??= count;
        if (counted !== count && list.isIdle) {
          counted = count;
          void list.show(filter);
        }
      },
      (sentence) => {
        problem.textContent = sentence;
      },
    ),
  );
  tabs.choose(filter.state);
  void list.show(filter);
  return element(
    'section',
    { class: 'view jobs-page' },
    element('header', { class: 'view-head' }, element('h1', { tabindex: '-1' }, 'Jobs')),
    problem,
    cards.element,
    element('div', { class: 'job-filters' }, tabs.element, queues.field, kinds.field),
    list.element,
  );
}

/** What changes when the list has changed, as far as the overview tells. */
function countOf(overview: JobOverview | undefined, state: JobState | undefined): number | undefined {
  if (overview === undefined) {
    return undefined;
  }
  const { states } = overview;
  return state === undefined ? Object.values(states).reduce((sum, count) => sum + count, 0) : states[state];
}
