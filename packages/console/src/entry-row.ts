/** One line of a folder: a folder to go into, or a file with what can be done with it. */

import type { Entry } from '@rowlock/client';
import { button, element } from './element.ts';
import { icon } from './icon.ts';
import { fileActions } from './object-actions.ts';
import { showObject } from './object-dialog.ts';
import { addressOf, type Place, prefixOf } from './place.ts';
import type { Thumbnails } from './thumbnail.ts';
import type { ViewContext } from './view.ts';
import { visibleName } from './visible-name.ts';
import { bytesInWords, momentInWords } from './wording.ts';

/** Rows with the same identity look the same, and may be kept when a folder is listed again. */
export function identityOf(entry: Entry): string {
  return `${entry.id ?? 'folder'} ${entry.updated_at ?? ''} ${entry.name}`;
}

/** The line of a folder. */
export function folderRow(place: Place, entry: Entry): HTMLElement {
  const address = addressOf({ ...place, folders: [...place.folders, entry.name] });
  return element(
    'li',
    { class: 'row' },
    element('span', { class: 'thumbnail' }, icon('folder')),
    element(
      'span',
      { class: 'row-main' },
      element('a', { href: address, class: 'row-name' }, visibleName(entry.name)),
      element('span', { class: 'row-facts' }, 'Folder'),
    ),
  );
}

/** What the line of a file needs of its view. */
export interface FileRowParts {
  readonly context: ViewContext;
  readonly thumbnails: Thumbnails;
  readonly onDeleted: () => void;
}

/** The line of a file. */
export function fileRow(place: Place, entry: Entry, { context, thumbnails, onDeleted }: FileRowParts): HTMLElement {
  const file = { bucket: place.bucket ?? '', name: prefixOf(place) + entry.name };
  const { mimetype, size } = entry.metadata ?? {};
  const type = typeof mimetype === 'string' ? mimetype : undefined;
  const facts = [
    typeof size === 'number' ? bytesInWords(size) : undefined,
    type,
    entry.updated_at === null ? undefined : momentInWords(new Date(entry.updated_at)),
  ];
  const open = button(
    { class: 'row-name', press: () => showObject(context, file, onDeleted) },
    visibleName(entry.name),
  );
  return element(
    'li',
    { class: 'row' },
    thumbnails.placeFor({ ...file, type, updated_at: entry.updated_at }),
    element(
      'span',
      { class: 'row-main' },
      open,
      element('span', { class: 'row-facts' }, facts.filter((fact) => fact !== undefined).join(' · ')),
    ),
    element('span', { class: 'row-actions' }, ...fileActions(context, file, 'icons', onDeleted)),
  );
}
