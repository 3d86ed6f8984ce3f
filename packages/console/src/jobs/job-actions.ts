/**
 * What is done to jobs from the console: which actions a state allows, the question before what cannot be undone or is for
 * many, and the calls. What came of it is said in the status line.
 */
import {
  changeJobs,
  countJobs,
  type JobAction,
  type JobFilter,
  type JobState,
  type JobsChanged,
} from '@rowlock/client';
import { openDialog } from '../dialog.ts';
import { button, element } from '../element.ts';
import { announce } from '../status-line.ts';
import { attempt, type ViewContext } from '../view.ts';
import { filterInWords, jobsInWords, outcomeInWords } from './job-wording.ts';

/** The actions as buttons name them. */
export const actionNames: Readonly<Record<JobAction, string>> = { retry: 'Retry', cancel: 'Cancel', delete: 'Delete' };

/** What can be done to a job in a state. */
export function actionsFor(state: JobState): readonly JobAction[] {
  switch (state) {
    case 'running':
      return ['cancel'];
    case 'available':
      return ['cancel', 'delete'];
    case 'retryable':
    case 'scheduled':
    case 'pending':
      return ['retry', 'cancel', 'delete'];
    default:
      return ['retry', 'delete'];
  }
}

const consequences: Readonly<Record<JobAction, string>> = {
  retry: 'They are made available at once. Where no attempt was left, one more is given.',
  cancel: 'What waits will not run. What runs is asked to stop, and stops when its worker sees to it.',
  delete: 'This cannot be undone. Jobs that are running are left.',
};

/** Asks, with the focus on the answer that does nothing. */
function confirmAction(action: JobAction, what: string, signal: AbortSignal): Promise<boolean> {
  const back = button({ press: () => opened.close(false) }, 'Go back');
  const agree = button(
    { class: action === 'retry' ? 'primary' : 'danger', press: () => opened.close(true) },
    `${actionNames[action]} ${what}`,
  );
  const opened = openDialog(
    `${actionNames[action]} ${what}?`,
    signal,
    element('p', {}, consequences[action]),
    element('div', { class: 'dialog-actions' }, back, agree),
  );
  back.focus();
  return opened.closed;
}

/** Does it to the jobs of these ids, up to 1,000. Answers whether anything was asked of the service. */
export async function actOnIds(context: ViewContext, action: JobAction, ids: readonly string[]): Promise<boolean> {
  const [id] = ids;
  const what = ids.length === 1 ? `job ${id}` : jobsInWords(ids.length);
  const isAsked = action === 'delete' || (action === 'cancel' && ids.length > 1);
  if (isAsked && !(await confirmAction(action, what, context.signal))) {
    return false;
  }
  await attempt(context, async () =>
    announce(outcomeInWords(action, await changeJobs(context.client, action, { ids }))),
  );
  return true;
}

/** Does it to all jobs of a filter, after saying how many there are. Answers whether anything was asked of the service. */
export async function actOnFilter(context: ViewContext, action: JobAction, filter: JobFilter): Promise<boolean> {
  let done = false;
  await attempt(context, async () => {
    const { count, is_exact } = await countJobs(context.client, filter);
    if (count === 0 && is_exact) {
      announce(`There are no ${filterInWords(filter)}.`);
      return;
    }
    const number = is_exact ? jobsInWords(count) : `at least ${jobsInWords(count)}`;
    if (!(await confirmAction(action, `${number} (${filterInWords(filter)})`, context.signal))) {
      return;
    }
    done = true;
    announce(outcomeInWords(action, await changeAll(context, action, filter)));
  });
  return done;
}

/** Page by page, saying how far it came. Jobs that came since may be among them. */
async function changeAll(context: ViewContext, action: JobAction, filter: JobFilter): Promise<JobsChanged> {
  const changed: string[] = [];
  const unchanged: JobsChanged['unchanged'][number][] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page: JobsChanged = await changeJobs(context.client, action, {
      filter,
      ...(cursor === undefined ? {} : { cursor }),
    });
    changed.push(...page.changed);
    unchanged.push(...page.unchanged);
    cursor = page.next_cursor ?? null;
    if (cursor !== null) {
      announce(`${jobsInWords(changed.length)} so far…`);
    }
  }
  return { changed, unchanged };
}
