/** One file: a preview, what is known of it, its versions and its links. Each part is loaded when it is looked at. */

import type { ObjectInfo } from '@rowlock/client';
import { openDialog } from '../dialog.ts';
import { button, element } from '../element.ts';
import { icon } from '../icon.ts';
import { attempt, type ViewContext } from '../view.ts';
import { visibleName } from '../visible-name.ts';
import { copyAs } from './copy-as-dialog.ts';
import { factsPanel } from './facts-panel.ts';
import { linksPanel } from './links-panel.ts';
import { metadataPanel } from './metadata-panel.ts';
import { fileActions } from './object-actions.ts';
import { type FileAddress, lastPart } from './object-name.ts';
import { relocate } from './relocation-dialog.ts';
import { tabs } from './tabs.ts';
import { versionsPanel } from './versions-panel.ts';

/** What the panels of a dialog are given. */
export interface ObjectPanel {
  readonly context: ViewContext;
  readonly file: FileAddress;
  readonly info: ObjectInfo;
  /** The file is another, or elsewhere: shows it again. */
  readonly changed: () => void;
}

/** Opens the dialog; `onChanged` is called when the file is gone, back, elsewhere or another. */
export function showObject(context: ViewContext, file: FileAddress, onChanged: () => void): void {
  const body = element('div', { class: 'object-body', 'aria-busy': 'true' });
  const close = button(
    { class: 'quiet dialog-close', label: 'Close', press: () => opened.close(false) },
    icon('close'),
  );
  const leave = (): void => {
    opened.close(false);
    onChanged();
  };
  const opened = openDialog(
    visibleName(lastPart(file.name)),
    context.signal,
    close,
    body,
    element('div', { class: 'dialog-actions' }, ...actions(context, file, leave)),
  );
  opened.dialog.classList.add('object');
  close.focus();
  const load = async (): Promise<void> => {
    const info = await context.client.info(file.bucket, file.name);
    const changed = (): void => {
      onChanged();
      void attempt(context, load);
    };
    const panel: ObjectPanel = { context, file, info, changed };
    const shown = tabs('About the file', [
      { label: 'Details', make: () => factsPanel(panel) },
      { label: 'Metadata', make: () => metadataPanel(panel) },
      { label: 'Versions', make: () => versionsPanel(panel) },
      { label: 'Links', make: () => linksPanel(panel) },
    ]);
    body.replaceChildren(shown);
    body.removeAttribute('aria-busy');
  };
  void attempt(context, load, (sentence) => body.replaceChildren(element('p', { class: 'problem' }, sentence)));
}

function actions(context: ViewContext, file: FileAddress, leave: () => void): readonly HTMLButtonElement[] {
  const chosen = { bucket: file.bucket, files: [file.name], folders: [] };
  const ask = (work: () => Promise<void>) => (): void => void attempt(context, work);
  return [
    button({ press: ask(() => relocate(context, 'move', chosen, leave)) }, icon('folder'), 'Move'),
    button({ press: ask(() => relocate(context, 'copy', chosen, leave)) }, icon('copy'), 'Copy'),
    button({ press: ask(() => copyAs(context, chosen)) }, icon('code'), 'Copy as'),
    ...fileActions(context, file, 'words', leave),
  ];
}
