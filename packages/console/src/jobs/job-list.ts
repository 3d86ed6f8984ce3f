/**
 * The list of jobs of a filter: its rows, which of them are chosen, and its pages. A page that was asked for before the
 * filter changed is dropped. What is done to jobs is `job-actions.ts`.
 */
import { type JobAction, type JobFilter, type JobLine, listJobs } from '@rowlock/client';
import { button, element } from '../element.ts';
import { emptyState, failedState } from '../empty-state.ts';
import { addressOfPage } from '../page.ts';
import { attempt, type ViewContext } from '../view.ts';
import { visibleName } from '../visible-name.ts';
import { actionNames, actionsFor, actOnFilter, actOnIds } from './job-actions.ts';
import { exactMoment, filterInWords, jobsInWords, momentOfState } from './job-wording.ts';

const actions: readonly JobAction[] = ['retry', 'cancel', 'delete'];

export class JobList {
  readonly element: HTMLElement;
  readonly #context: ViewContext;
  readonly #afterChange: () => void;
  readonly #rows = element('ul', { class: 'rows jobs', hidden: true });
  readonly #note = element('div', {});
  readonly #bar = element('div', { class: 'bulk-bar' });
  readonly #all = element('input', { type: 'checkbox', 'aria-label': 'Choose all jobs that are shown' });
  readonly #chosen = new Set<string>();
  #filter: JobFilter = {};
  #cursor: string | null = null;
  #lines: readonly JobLine[] = [];
  /** Goes up with each list that is begun. */
  #turn = 0;

  /** `afterChange` is called when jobs were changed. */
  constructor(context: ViewContext, afterChange: () => void) {
    this.#context = context;
    this.#afterChange = afterChange;
    this.#all.addEventListener('change', () => this.#chooseAll(this.#all.checked));
    this.element = element('div', { class: 'content job-list' }, this.#bar, this.#rows, this.#note);
  }

  /** Shows the jobs of a filter, from the beginning. */
  async show(filter: JobFilter): Promise<void> {
    this.#filter = filter;
    this.#chosen.clear();
    this.element.setAttribute('aria-busy', 'true');
    await this.#load(undefined);
  }

  /** Whether nobody would miss what a new list would take away: a choice, a further page, the focus. */
  get isIdle(): boolean {
    return this.#chosen.size === 0 && this.#lines.length <= 50 && !this.#rows.contains(document.activeElement);
  }

  async #load(cursor: string | undefined): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    await attempt(
      this.#context,
      async () => {
        const page = await listJobs(this.#context.client, {
          ...this.#filter,
          ...(cursor === undefined ? {} : { cursor }),
        });
        if (turn !== this.#turn) {
          return;
        }
        this.#lines = cursor === undefined ? page.jobs : [...this.#lines, ...page.jobs];
        this.#cursor = page.next_cursor;
        this.#draw();
      },
      (sentence) => {
        this.#rows.hidden = true;
        this.#note.replaceChildren(failedState(sentence, () => void this.#load(undefined)));
      },
    );
    this.element.removeAttribute('aria-busy');
  }

  #draw(): void {
    this.#rows.replaceChildren(...this.#lines.map((job) => this.#row(job)));
    this.#rows.hidden = this.#lines.length === 0;
    this.#note.replaceChildren(...this.#rest());
    this.#drawBar();
  }

  /** What stands below the rows. */
  #rest(): readonly HTMLElement[] {
    if (this.#cursor !== null) {
      const cursor = this.#cursor;
      const label = this.#lines.length === 0 ? 'None so far: search further' : 'Show more';
      return [button({ class: 'more', press: () => void this.#load(cursor) }, label)];
    }
    if (this.#lines.length > 0) {
      return [];
    }
    return [emptyState('check', 'No such jobs', `There are no ${filterInWords(this.#filter)}.`)];
  }

  #row(job: JobLine): HTMLElement {
    const box = element('input', { type: 'checkbox', 'aria-label': `Choose job ${job.id}` });
    box.checked = this.#chosen.has(job.id);
    box.addEventListener('change', () => {
      this.#chosen[box.checked ? 'add' : 'delete'](job.id);
      this.#drawBar();
    });
    const exact = exactMoment(job.finalized_at ?? job.attempted_at ?? job.scheduled_at);
    const facts = [momentOfState(job), `attempt ${job.attempt} of ${job.max_attempts}`, `in ${job.queue}`];
    const stopping = job.cancel_requested_at !== null && element('span', { class: 'badge public' }, 'Stopping');
    return element(
      'li',
      { class: 'row' },
      element('label', { class: 'choose' }, box),
      element(
        'span',
        { class: 'row-main' },
        element('a', { href: addressOfPage('jobs', job.id), class: 'row-name' }, visibleName(job.kind), ` ${job.id}`),
        element('span', { class: 'row-facts', title: exact }, facts.join(' · ')),
        element('code', { class: 'job-args' }, job.args_begin),
        job.last_error !== null && element('span', { class: 'job-error' }, job.last_error),
      ),
      stopping,
      stateBadge(job.state),
      element('span', { class: 'row-actions' }, ...this.#rowActions(job)),
    );
  }

  #rowActions(job: JobLine): readonly HTMLElement[] {
    return actionsFor(job.state).map((action) => {
      const label = `${actionNames[action]} job ${job.id}`;
      return button({ class: 'quiet word', label, press: () => void this.#act(action, [job.id]) }, actionNames[action]);
    });
  }

  async #act(action: JobAction, ids: readonly string[] | undefined): Promise<void> {
    const done =
      ids === undefined
        ? await actOnFilter(this.#context, action, this.#filter)
        : await actOnIds(this.#context, action, ids);
    if (done && !this.#context.signal.aborted) {
      await this.show(this.#filter);
      this.#afterChange();
    }
  }

  #chooseAll(isChosen: boolean): void {
    this.#chosen.clear();
    for (const { id } of isChosen ? this.#lines.slice(0, 1000) : []) {
      this.#chosen.add(id);
    }
    for (const box of this.#rows.querySelectorAll<HTMLInputElement>('input[type="checkbox"]')) {
      box.checked = isChosen;
    }
    this.#drawBar();
  }

  /** For the chosen jobs, or for all of the filter where none is chosen. */
  #drawBar(): void {
    const ids = [...this.#chosen];
    this.#all.checked = ids.length > 0 && ids.length === Math.min(this.#lines.length, 1000);
    this.#all.indeterminate = ids.length > 0 && !this.#all.checked;
    const { state } = this.#filter;
    // All of them at once is for the jobs of a state: not every job there is by a slip.
    const possible = ids.length > 0 ? actions : state === undefined ? [] : actionsFor(state);
    const buttons = possible.map((action) =>
      button(
        { class: 'quiet word', press: () => void this.#act(action, ids.length === 0 ? undefined : ids) },
        ids.length === 0 ? `${actionNames[action]} all…` : actionNames[action],
      ),
    );
    const words = ids.length === 0 ? `Shown: ${filterInWords(this.#filter)}` : `${jobsInWords(ids.length)} chosen`;
    this.#bar.replaceChildren(
      element('label', { class: 'choose' }, this.#all),
      element('span', { class: 'hint' }, words),
      element('span', { class: 'row-actions' }, ...buttons),
    );
    this.#bar.hidden = this.#lines.length === 0;
  }
}

/** The state of a job in its colour. */
export function stateBadge(state: JobLine['state']): HTMLElement {
  return element('span', { class: `badge state-${state}` }, state);
}
