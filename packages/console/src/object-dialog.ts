/** Everything that is known of one file, with its picture where the service made one. It never shows the file itself. */

import type { ObjectInfo } from '@rowlock/client';
import { openDialog } from './dialog.ts';
import { button, type Child, element } from './element.ts';
import { icon } from './icon.ts';
import { type FileAddress, fileActions, lastPart } from './object-actions.ts';
import { isRendered, showPicture } from './thumbnail.ts';
import { attempt, type ViewContext } from './view.ts';
import { visibleName } from './visible-name.ts';
import { bytesInWords } from './wording.ts';

/** Opens the dialog; `onDeleted` is called when the file was deleted from it. */
export function showObject(context: ViewContext, file: FileAddress, onDeleted: () => void): void {
  const body = element('div', { class: 'object-body', 'aria-busy': 'true' });
  const close = button(
    { class: 'quiet dialog-close', label: 'Close', press: () => opened.close(false) },
    icon('close'),
  );
  const actions = fileActions(context, file, 'words', () => {
    opened.close(false);
    onDeleted();
  });
  const opened = openDialog(
    visibleName(lastPart(file.name)),
    context.signal,
    close,
    body,
    element('div', { class: 'dialog-actions' }, ...actions),
  );
  opened.dialog.classList.add('object');
  close.focus();
  const load = async (): Promise<void> => {
    const facts = await context.client.info(file.bucket, file.name);
    body.replaceChildren(...picture(context, file, facts), factList(file, facts));
    body.removeAttribute('aria-busy');
  };
  void attempt(context, load, (sentence) => body.replaceChildren(element('p', { class: 'problem' }, sentence)));
}

function picture(context: ViewContext, file: FileAddress, facts: ObjectInfo): readonly HTMLElement[] {
  if (!isRendered(facts.content_type)) {
    return [];
  }
  const place = element('div', { class: 'object-picture' }, icon('image'));
  const pictured = { ...file, type: facts.content_type, updated_at: facts.last_modified };
  void showPicture(context, place, pictured, 'large');
  return [place];
}

function factList(file: FileAddress, facts: ObjectInfo): HTMLElement {
  const rows: readonly (readonly [string, Child])[] = [
    ['Bucket', file.bucket],
    ['Name', visibleName(file.name)],
    ['Size', `${bytesInWords(facts.size)} (${facts.size.toLocaleString('en')})`],
    ['Type', facts.content_type],
    ['Content looks like', facts.detected_type !== facts.content_type && (facts.detected_type ?? false)],
    ['Owner', facts.owner_id ?? 'nobody'],
    ['Uploaded', longMoment(facts.last_modified)],
    ['SHA-256', facts.sha256 !== null && element('code', {}, facts.sha256)],
  ];
  const known = rows.filter(([, value]) => value !== false && value !== undefined);
  return element(
    'dl',
    { class: 'facts' },
    ...known.flatMap(([term, value]) => [element('dt', {}, term), element('dd', {}, value)]),
  );
}

function longMoment(moment: string): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(moment));
}
