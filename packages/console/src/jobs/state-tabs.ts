/** The states with their counts, as buttons that filter the list. They stay where they are while the counts change. */
import type { JobOverview, JobState } from '@rowlock/client';
import { button, element } from '../element.ts';
import { countInWords, jobStates } from './job-wording.ts';

export interface StateTabs {
  readonly element: HTMLElement;
  /** Marks the state that the list shows; undefined for all. */
  choose(state: JobState | undefined): void;
  update(overview: JobOverview): void;
}

/** Makes the buttons. */
export function stateTabs(choose: (state: JobState | undefined) => void): StateTabs {
  const tab = (state: JobState | undefined): [JobState | undefined, HTMLButtonElement, HTMLElement] => {
    const count = element('span', { class: 'count' });
    const name = state === undefined ? 'All' : state.charAt(0).toUpperCase() + state.slice(1);
    return [state, button({ class: 'state-tab', press: () => choose(state) }, name, ' ', count), count];
  };
  const tabs = [undefined, ...jobStates].map(tab);
  return {
    element: element(
      'div',
      { class: 'state-tabs', role: 'group', 'aria-label': 'States' },
      ...tabs.map(([, made]) => made),
    ),
    choose(chosen) {
      for (const [state, made] of tabs) {
        made.setAttribute('aria-pressed', String(state === chosen));
      }
    },
    update({ states, counted_to }) {
      for (const [state, , count] of tabs) {
        count.textContent = state === undefined ? '' : countInWords(states[state], counted_to);
      }
    },
  };
}
