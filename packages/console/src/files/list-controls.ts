/** What narrows a list and orders it: a part of names, here or in all folders below, by name or newest first. */
import { element } from '../element.ts';
import type { FolderList } from './folder-list.ts';

const filterAfterMs = 200;

/** Makes the controls of a list. */
export function listControls(list: FolderList): HTMLElement {
  const field = element('input', { type: 'search', placeholder: 'Filter', 'aria-label': 'Filter this folder' });
  const where = choice('Where to look', { here: 'This folder', below: 'All folders' });
  const order = choice('Order', { name: 'By name', newest: 'Newest first' });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const change = (): void => {
    clearTimeout(timer);
    const recursive = where.value === 'below';
    list.change({ search: field.value.trim(), recursive, sort: order.value === 'newest' ? 'newest' : 'name' });
  };
  field.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(change, filterAfterMs);
  });
  where.addEventListener('change', change);
  order.addEventListener('change', change);
  return element('div', { class: 'list-controls', role: 'search' }, field, where, order);
}

function choice(label: string, choices: Readonly<Record<string, string>>): HTMLSelectElement {
  const options = Object.entries(choices).map(([value, words]) => element('option', { value }, words));
  return element('select', { 'aria-label': label }, ...options);
}
