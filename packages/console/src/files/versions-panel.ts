/** The versions of one name, newest first: each can be saved, brought back, and deleted for ever. */
import type { ObjectVersion } from '@rowlock/client';
import { confirmRemoval } from '../dialog.ts';
import { button, type Child, element } from '../element.ts';
import { icon } from '../icon.ts';
import { announce } from '../status-line.ts';
import { attempt } from '../view.ts';
import { bytesInWords } from '../wording.ts';
import { download } from './object-actions.ts';
import type { ObjectPanel } from './object-dialog.ts';

const shownMax = 100;

/** Makes the panel. */
export function versionsPanel(panel: ObjectPanel): HTMLElement {
  const { context, file } = panel;
  const body = element('div', { class: 'panel-body', 'aria-busy': 'true' });
  const load = async (): Promise<void> => {
    const versions: ObjectVersion[] = [];
    for await (const version of context.client.listVersions(file.bucket, file.name)) {
      versions.push(version);
      if (versions.length === shownMax) break;
    }
    const lines = versions.map((version) => versionLine(panel, version));
    const one = 'There is this version alone. A bucket that keeps versions has one more for every overwriting.';
    body.replaceChildren(
      element('ul', { class: 'lines' }, ...lines),
      ...(versions.length <= 1 ? [element('p', { class: 'hint' }, one)] : []),
    );
    body.removeAttribute('aria-busy');
  };
  void attempt(context, load, (sentence) => body.replaceChildren(element('p', { class: 'problem' }, sentence)));
  return body;
}

function versionLine(panel: ObjectPanel, version: ObjectVersion): HTMLElement {
  const moment = momentOf(version.modified_at);
  const state = version.is_current ? 'Current' : version.delete_marker ? 'Deleted then' : 'Older';
  const facts = [version.size === null ? undefined : bytesInWords(version.size), version.content_type ?? undefined];
  return element(
    'li',
    { class: 'line' },
    element(
      'span',
      { class: 'line-main' },
      element('strong', {}, moment),
      element('span', { class: 'row-facts' }, [state, ...facts].filter((fact) => fact !== undefined).join(' · ')),
    ),
    ...lineActions(panel, version, moment),
  );
}

function lineActions(panel: ObjectPanel, version: ObjectVersion, moment: string): readonly Child[] {
  const { context, file } = panel;
  if (version.is_current) {
    return [saveButton(panel, version, moment)];
  }
  const restore = (): Promise<void> =>
    attempt(context, async () => {
      await context.client.restore(file.bucket, file.name, version.version);
      announce(`The version of ${moment} is current again.`);
      panel.changed();
    });
  const label = `Restore the version of ${moment}`;
  return [
    ...(version.delete_marker
      ? []
      : [saveButton(panel, version, moment), button({ label, press: () => void restore() }, icon('retry'), 'Restore')]),
    button(
      { class: 'quiet', label: `Delete the version of ${moment} for ever`, press: () => void purge(panel, version) },
      icon('trash'),
    ),
  ];
}

function saveButton({ context, file }: ObjectPanel, version: ObjectVersion, moment: string): HTMLElement {
  const press = (): void => void download(context, file, version.version);
  return button({ class: 'quiet', label: `Download the version of ${moment}`, press }, icon('download'));
}

async function purge(panel: ObjectPanel, version: ObjectVersion): Promise<void> {
  const { context, file } = panel;
  const text = `What it had at ${momentOf(version.modified_at)} will be gone. This cannot be undone.`;
  const question = { title: 'Delete this version for ever?', text, action: 'Delete version' };
  if (await confirmRemoval(question, context.signal)) {
    await attempt(context, async () => {
      await context.client.purge(file.bucket, file.name, version.version);
      announce('The version is gone.');
      panel.changed();
    });
  }
}

function momentOf(moment: string): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(moment));
}
