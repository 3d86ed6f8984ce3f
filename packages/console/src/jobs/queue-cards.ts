/**
 * The queues as cards: how much waits, how fast it is worked, how long it takes, and a button to pause it. Cards stay where
 * they are while their numbers change, so that a button keeps the focus.
 */
import type { JobOverview, QueueFacts } from '@rowlock/client';
import { button, element } from '../element.ts';
import { nameInText, visibleName } from '../visible-name.ts';
import { countInWords, durationInWords, nearMoment, rateInWords } from './job-wording.ts';
import { type LineChart, lineChart } from './line-chart.ts';
import type { QueueSamples } from './queue-samples.ts';

/** What is done with a card. */
export interface QueueCardActions {
  /** Pauses or resumes. */
  readonly setPaused: (queue: string, isPaused: boolean) => void;
  /** Lists the jobs of the queue. */
  readonly show: (queue: string) => void;
}

interface Measure {
  readonly element: HTMLElement;
  readonly value: HTMLElement;
  readonly chart: LineChart;
}

/** A minute at least, so that a line is seen soon; then all that is remembered. */
const placesMin = 30;

function measure(name: string): Measure {
  const value = element('strong', {});
  const chart = lineChart(placesMin);
  return {
    value,
    chart,
    element: element('div', { class: 'measure' }, element('span', {}, name), value, chart.element),
  };
}

class QueueCard {
  readonly element: HTMLElement;
  readonly #facts = element('p', { class: 'hint' });
  readonly #badge = element('span', { class: 'badge public' }, 'Paused');
  readonly #toggle: HTMLButtonElement;
  readonly #depth = measure('Waiting');
  readonly #rate = measure('Completed');
  readonly #latency = measure('Latency (p95)');
  #isPaused = false;

  constructor(queue: string, actions: QueueCardActions) {
    this.#toggle = button({ press: () => actions.setPaused(queue, !this.#isPaused) });
    const name = button({ class: 'link', press: () => actions.show(queue) }, visibleName(queue));
    this.element = element(
      'li',
      { class: 'queue-card' },
      element('header', {}, element('h3', {}, name), this.#badge, this.#toggle),
      element('div', { class: 'measures' }, this.#depth.element, this.#rate.element, this.#latency.element),
      this.#facts,
    );
  }

  update(queue: QueueFacts, countedTo: number, samples: QueueSamples): void {
    const { name, counts, paused_at, p95_seconds, completed_per_second } = queue;
    const seen = samples.of(name);
    const said = {
      depth: countInWords(counts.available ?? 0, countedTo),
      rate: rateInWords(completed_per_second),
      latency: p95_seconds === null ? '–' : durationInWords(p95_seconds),
    };
    this.#isPaused = paused_at !== null;
    this.#badge.hidden = !this.#isPaused;
    this.#toggle.hidden = !queue.is_known;
    this.#toggle.textContent = this.#isPaused ? 'Resume' : 'Pause';
    this.#toggle.setAttribute('aria-label', `${this.#isPaused ? 'Resume' : 'Pause'} ${nameInText(name)}`);
    this.#depth.value.textContent = said.depth;
    this.#rate.value.textContent = said.rate;
    this.#latency.value.textContent = said.latency;
    this.#depth.chart.draw(
      seen.map(({ depth }) => depth),
      `Waiting: ${said.depth}`,
    );
    this.#rate.chart.draw(
      seen.map(({ rate }) => rate),
      `Completed: ${said.rate}`,
    );
    this.#latency.chart.draw(
      seen.map(({ latency }) => latency),
      `Latency: ${said.latency}`,
    );
    this.#facts.textContent = factsInWords(queue, countedTo);
  }
}

/** What the charts do not show, as one sentence each. */
function factsInWords(
  { counts, oldest_due_seconds, workers, paused_at, is_known }: QueueFacts,
  countedTo: number,
): string {
  const { running = 0, retryable = 0, scheduled = 0 } = counts;
  const numbers = [
    `${countInWords(running, countedTo)} running`,
    retryable > 0 && `${countInWords(retryable, countedTo)} to be retried`,
    scheduled > 0 && `${countInWords(scheduled, countedTo)} scheduled`,
  ].filter((each) => each !== false);
  return [
    `${numbers.join(', ')}.`,
    oldest_due_seconds !== null && `The oldest waits for ${durationInWords(oldest_due_seconds)}.`,
    workers === 0 ? 'No worker of ours serves it now.' : `${workers} ${workers === 1 ? 'worker' : 'workers'}.`,
    !is_known && 'It can be paused once a worker has served it.',
    paused_at !== null && `Paused ${nearMoment(paused_at)}.`,
  ]
    .filter((each) => each !== false)
    .join(' ');
}

/** The list of cards; `update` shows another overview. */
export function queueCards(
  samples: QueueSamples,
  actions: QueueCardActions,
): { readonly element: HTMLElement; update(overview: JobOverview): void } {
  const list = element('ul', { class: 'queue-cards' });
  const cards = new Map<string, QueueCard>();
  return {
    element: list,
    update({ queues, counted_to }) {
      const names = new Set(queues.map(({ name }) => name));
      for (const [name, card] of cards) {
        if (!names.has(name)) {
          card.element.remove();
          cards.delete(name);
        }
      }
      for (const [place, queue] of queues.entries()) {
        const card = cards.get(queue.name) ?? new QueueCard(queue.name, actions);
        cards.set(queue.name, card);
        card.update(queue, counted_to, samples);
        if (list.children[place] !== card.element) {
          list.insertBefore(card.element, list.children[place] ?? null);
        }
      }
    },
  };
}
