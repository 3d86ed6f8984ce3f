/** What was deleted below a folder and can come back. A restore brings back the version that the name had last. */
import type { ObjectVersion } from '@rowlock/client';
import { openDialog } from '../dialog.ts';
import { button, element } from '../element.ts';
import { icon } from '../icon.ts';
import { announce } from '../status-line.ts';
import { attempt, type ViewContext } from '../view.ts';
import { nameInText, visibleName } from '../visible-name.ts';
import { bytesInWords, momentInWords } from '../wording.ts';
import { lastPart } from './object-name.ts';

const shownMax = 200;

/** Opens the list; `onRestored` is called whenever something is back. */
export function showDeleted(
  context: ViewContext,
  folder: { readonly bucket: string; readonly prefix: string },
  onRestored: () => void,
): void {
  const body = element('div', { class: 'deleted', 'aria-busy': 'true' });
  const close = button({ press: () => opened.close(false) }, 'Close');
  const opened = openDialog('Deleted files', context.signal, body, element('div', { class: 'dialog-actions' }, close));
  opened.dialog.classList.add('wide');
  const restored = (version: ObjectVersion, line: HTMLElement): void => {
    const next = line.nextElementSibling ?? line.previousElementSibling;
    line.remove();
    (next?.querySelector('button') ?? close).focus();
    announce(`${nameInText(lastPart(version.name))} is back.`);
    onRestored();
  };
  const load = async (): Promise<void> => {
    const { versions, more } = await deletedBelow(context, folder);
    const lines = versions.map((version) => deletedLine(context, version, restored));
    const none = element('p', { class: 'hint' }, 'Nothing was deleted here that can come back.');
    const further = element('p', { class: 'hint' }, `Only the first ${shownMax} are shown. Open a folder to see less.`);
    body.replaceChildren(
      ...(lines.length === 0 ? [none] : [element('ul', { class: 'lines' }, ...lines)]),
      ...(more ? [further] : []),
    );
    body.removeAttribute('aria-busy');
  };
  void attempt(context, load, (sentence) => body.replaceChildren(element('p', { class: 'problem' }, sentence)));
}

async function deletedBelow(
  { client }: ViewContext,
  { bucket, prefix }: { readonly bucket: string; readonly prefix: string },
): Promise<{ readonly versions: readonly ObjectVersion[]; readonly more: boolean }> {
  const versions: ObjectVersion[] = [];
  for await (const version of client.listDeleted(bucket, prefix)) {
    if (versions.length === shownMax) {
      return { versions, more: true };
    }
    versions.push(version);
  }
  return { versions, more: false };
}

function deletedLine(
  context: ViewContext,
  version: ObjectVersion,
  onRestored: (version: ObjectVersion, line: HTMLElement) => void,
): HTMLElement {
  const press = (pressed: HTMLButtonElement): void => {
    pressed.disabled = true;
    void attempt(context, async () => {
      await context.client.restore(version.bucket, version.name);
      onRestored(version, line);
    }).then(() => {
      pressed.disabled = false;
    });
  };
  const size = version.size === null ? undefined : bytesInWords(version.size);
  const when = version.superseded_at === null ? undefined : `deleted ${momentInWords(new Date(version.superseded_at))}`;
  const ends = version.purge_after === null ? undefined : `kept until ${dayOf(version.purge_after)}`;
  const facts = [size, when, ends].filter((fact) => fact !== undefined).join(' · ');
  const restore = button({ label: `Restore ${nameInText(version.name)}`, press }, icon('retry'), 'Restore');
  const line = element(
    'li',
    { class: 'line' },
    element('span', { class: 'line-main' }, visibleName(version.name), element('span', { class: 'row-facts' }, facts)),
    restore,
  );
  return line;
}

function dayOf(moment: string): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' }).format(new Date(moment));
}
