/**
 * The page of health: first what needs care and the command that mends it, then what is kept, by whom and at which cost, and
 * how stores, workers and tables fare. It looks once, and again when it is asked to: the report reads many rows.
 */
import { type JobOverview, jobOverview, type StorageHealth, storageHealth } from '@rowlock/client';
import { button, type Child, element } from '../element.ts';
import { failedState } from '../empty-state.ts';
import { icon } from '../icon.ts';
import { durationInWords, nearMoment } from '../jobs/job-wording.ts';
import { attempt, type ViewContext } from '../view.ts';
import { clockInWords } from '../wording.ts';
import { concernsOf } from './health-concerns.ts';
import { costTable, fsckTable, keptTables, quotaTable, storeTable, tableTable } from './health-tables.ts';

/** Makes the view and fills it. */
export function healthView(context: ViewContext): HTMLElement {
  const body = element('div', { class: 'content health', 'aria-busy': 'true' });
  const look = async (): Promise<void> => {
    body.setAttribute('aria-busy', 'true');
    again.disabled = true;
    await attempt(
      context,
      async () => {
        const [health, jobs] = await Promise.all([storageHealth(context.client), jobOverview(context.client)]);
        body.replaceChildren(...parts(health, jobs));
      },
      (sentence) => body.replaceChildren(failedState(sentence, () => void look())),
    );
    again.disabled = false;
    body.removeAttribute('aria-busy');
  };
  const again = button({ press: () => void look() }, icon('retry'), 'Look again');
  void look();
  const heading = element('h1', { tabindex: '-1' }, 'Health');
  return element('section', { class: 'view' }, element('header', { class: 'view-head' }, heading, again), body);
}

function parts(health: StorageHealth, jobs: JobOverview): readonly HTMLElement[] {
  return [
    concerns(health, jobs),
    part('Kept', ...keptTables(health)),
    ...(health.quotas.length === 0 ? [] : [part('Quotas', quotaTable(health))]),
    part('Stores', storeTable(health), ...costTable(health)),
    part('Jobs', workers(jobs)),
    part('Rows and bytes compared', fsckTable(health)),
    part('Database', tableTable(health)),
  ];
}

function part(title: string, ...children: readonly Child[]): HTMLElement {
  return element('section', { class: 'part' }, element('h2', {}, title), ...children);
}

function concerns(health: StorageHealth, jobs: JobOverview): HTMLElement {
  const found = concernsOf(health, jobs, new Date(health.at));
  const when = `Looked at ${clockInWords(new Date(health.at))}.`;
  if (found.length === 0) {
    return element('p', { class: 'all-well' }, icon('check'), `All is well. ${when}`);
  }
  const lines = found.map(({ level, says, fix }) =>
    element(
      'li',
      { class: level },
      icon('warning'),
      element('span', {}, element('strong', {}, says), ' ', element('span', { class: 'hint' }, 'To do: ', fix)),
    ),
  );
  const title = `${found.length === 1 ? 'One thing needs' : `${found.length} things need`} care`;
  return part(title, element('ul', { class: 'concerns' }, ...lines), element('p', { class: 'hint' }, when));
}

/** Who works, who leads, and what has been waiting longest. */
function workers({ queues, workers: all, leader }: JobOverview): HTMLElement {
  const alive = all.filter(({ is_alive }) => is_alive);
  const waits = queues.flatMap(({ name, oldest_due_seconds: seconds }) =>
    seconds === null ? [] : [{ name, seconds }],
  );
  const longest = waits.sort((a, b) => b.seconds - a.seconds)[0];
  const fact = (name: string, value: Child): readonly HTMLElement[] => [
    element('dt', {}, name),
    element('dd', {}, value),
  ];
  return element(
    'dl',
    { class: 'facts' },
    ...fact(
      'Oldest wait',
      longest === undefined ? 'Nothing waits.' : `${durationInWords(longest.seconds)}, in ${longest.name}`,
    ),
    ...fact('Leader', leader === null ? 'None' : `${leader.client_id}, elected ${nearMoment(leader.elected_at)}`),
    ...fact('Workers alive', alive.length === 0 ? 'None of ours' : alive.map(({ client_id }) => client_id).join(', ')),
  );
}
