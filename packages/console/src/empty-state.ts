/** What stands where a list would be: why there is none, and what to do next. */
import { button, type Child, element } from './element.ts';
import { type IconName, icon } from './icon.ts';

/** Nothing is there yet. */
export function emptyState(pictogram: IconName, title: string, text: Child, ...actions: readonly Child[]): HTMLElement {
  const words = [element('h2', {}, title), element('p', {}, text)];
  return element('div', { class: 'empty' }, icon(pictogram), ...words, ...actions);
}

/** It could not be loaded. */
export function failedState(sentence: string, retry: () => void): HTMLElement {
  const again = button({ press: retry }, icon('retry'), 'Try again');
  return element('div', { class: 'empty failed', role: 'alert' }, icon('warning'), element('p', {}, sentence), again);
}
