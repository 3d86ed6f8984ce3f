/** One line of a listing: a folder to go into, or a file with what can be done with it. The list places it. */

import type { Entry } from '@rowlock/client';
import { button, type Child, element } from '../element.ts';
import { icon } from '../icon.ts';
import { addressOf, type Place, prefixOf } from '../place.ts';
import type { ViewContext } from '../view.ts';
import { nameInText, visibleName } from '../visible-name.ts';
import { bytesInWords, momentInWords } from '../wording.ts';
import { fileActions } from './object-actions.ts';
import type { Thumbnails } from './thumbnail.ts';
import { zipButton } from './zip-download.ts';

/** Rows with the same identity look the same, and may be kept when a folder is listed again. */
export function identityOf(entry: Entry): string {
  return `${entry.id ?? 'folder'} ${entry.updated_at ?? ''} ${entry.name}`;
}

/** What a line needs of its view. */
export interface RowParts {
  readonly context: ViewContext;
  readonly place: Place;
  readonly thumbnails: Thumbnails;
  readonly onOpened: (entry: Entry) => void;
  readonly onDeleted: () => void;
}

/** The line of a folder or of a file, not chosen yet. */
export function entryRow(entry: Entry, parts: RowParts): HTMLElement {
  return entry.id === null ? folderRow(entry, parts) : fileRow(entry, parts);
}

/** The line of what was not read yet. */
export function waitingRow(): HTMLElement {
  const facts = element('span', { class: 'row-facts' }, 'Loading…');
  return element('div', { class: 'row waiting', role: 'row', 'aria-busy': 'true' }, cell('row-main', facts));
}

/** Shows whether a line is chosen. */
export function markChosen(row: HTMLElement, isChosen: boolean): void {
  row.setAttribute('aria-selected', String(isChosen));
  const box = row.querySelector<HTMLInputElement>('.row-choice input');
  if (box !== null) {
    box.checked = isChosen;
  }
}

function folderRow(entry: Entry, { context, place }: RowParts): HTMLElement {
  const folders = [...place.folders, ...entry.name.split('/')];
  const facts = element('span', { class: 'row-facts' }, 'Folder');
  const link = element('a', { href: addressOf({ ...place, folders }), class: 'row-name' }, visibleName(entry.name));
  const folder = { bucket: place.bucket ?? '', prefix: `${prefixOf(place)}${entry.name}/` };
  return row(
    entry,
    element('span', { class: 'thumbnail' }, icon('folder')),
    [link, facts],
    [zipButton(context, folder, `Download ${nameInText(entry.name)} as a ZIP`)],
  );
}

function fileRow(entry: Entry, { context, place, thumbnails, onOpened, onDeleted }: RowParts): HTMLElement {
  const file = { bucket: place.bucket ?? '', name: prefixOf(place) + entry.name };
  const { mimetype, size } = entry.metadata ?? {};
  const type = typeof mimetype === 'string' ? mimetype : undefined;
  const facts = [
    typeof size === 'number' ? bytesInWords(size) : undefined,
    type,
    entry.updated_at === null ? undefined : momentInWords(new Date(entry.updated_at)),
  ];
  const open = button({ class: 'row-name', press: () => onOpened(entry) }, visibleName(entry.name));
  return row(
    entry,
    thumbnails.placeFor({ ...file, type, updated_at: entry.updated_at }),
    [open, element('span', { class: 'row-facts' }, facts.filter((fact) => fact !== undefined).join(' · '))],
    fileActions(context, file, 'icons', onDeleted),
  );
}

function row(entry: Entry, picture: HTMLElement, main: readonly Child[], actions: readonly Child[]): HTMLElement {
  const box = element('input', { type: 'checkbox', 'aria-label': `Choose ${nameInText(entry.name)}` });
  return element(
    'div',
    { class: 'row', role: 'row', 'aria-selected': 'false' },
    cell('row-choice', box),
    cell('row-picture', picture),
    cell('row-main', ...main),
    cell('row-actions', ...actions),
  );
}

function cell(name: string, ...children: readonly Child[]): HTMLElement {
  return element('div', { class: name, role: 'gridcell' }, ...children);
}
