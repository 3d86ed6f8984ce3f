/**
 * What can be done with a file, wherever it is shown: download, copy a link, delete. Each says what came of it. Bytes
 * never pass through the page: a download is a link for a minute that the browser opens itself.
 */
import { confirmRemoval, openDialog } from './dialog.ts';
import { button, element } from './element.ts';
import { icon } from './icon.ts';
import { deleteObject } from './object-calls.ts';
import { announce } from './status-line.ts';
import { attempt, type ViewContext } from './view.ts';
import { nameInText, visibleName } from './visible-name.ts';
import { clockInWords } from './wording.ts';

export interface FileAddress {
  readonly bucket: string;
  /** The whole name, with its folders. */
  readonly name: string;
}

const downloadSeconds = 60;
const linkSeconds = 3600;

/** The last part of a name. */
export function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** Makes the three buttons of a file; `onDeleted` is called once it is gone. */
export function fileActions(
  context: ViewContext,
  file: FileAddress,
  style: 'icons' | 'words',
  onDeleted: () => void,
): readonly HTMLButtonElement[] {
  const name = nameInText(lastPart(file.name));
  const words = style === 'words';
  const make = (
    pictogram: 'download' | 'link' | 'trash',
    word: string,
    label: string,
    press: (pressed: HTMLButtonElement) => void,
  ) => button({ class: words ? '' : 'quiet', ...(words ? {} : { label }), press }, icon(pictogram), words && word);
  return [
    make('download', 'Download', `Download ${name}`, () => void download(context, file)),
    make('link', 'Copy link', `Copy a link to ${name}`, (pressed) => void copyLink(context, file, pressed)),
    make('trash', 'Delete', `Delete ${name}`, () => void remove(context, file, onDeleted)),
  ];
}

function download(context: ViewContext, file: FileAddress): Promise<void> {
  return attempt(context, async () => {
    const { url } = await context.client.sign(file.bucket, file.name, { expirySeconds: downloadSeconds });
    const address = new URL(url);
    address.searchParams.set('download', lastPart(file.name));
    element('a', { href: address.href, download: lastPart(file.name), rel: 'noreferrer' }).click();
  });
}

function copyLink(context: ViewContext, file: FileAddress, pressed: HTMLButtonElement): Promise<void> {
  return attempt(context, async () => {
    const { url, expires_at } = await context.client.sign(file.bucket, file.name, { expirySeconds: linkSeconds });
    const until = clockInWords(new Date(expires_at));
    if (await isCopied(url)) {
      showCopied(pressed);
      announce(`Link copied. Whoever has it can read the file until ${until}.`);
    } else {
      showLink(context, url, until);
    }
  });
}

/** The clipboard is refused on pages without TLS and by some settings. */
async function isCopied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

const copiedForMs = 2000;

function showCopied(pressed: HTMLButtonElement): void {
  const before = pressed.querySelector('svg');
  const mark = icon('check');
  before?.replaceWith(mark);
  pressed.classList.add('succeeded');
  setTimeout(() => {
    if (before !== null) {
      mark.replaceWith(before);
    }
    pressed.classList.remove('succeeded');
  }, copiedForMs);
}

function showLink(context: ViewContext, url: string, until: string): void {
  const field = element('input', { readonly: true, value: url, 'aria-label': 'Link' });
  const close = button({ press: () => opened.close(false) }, 'Close');
  const text = `Copy it from here. Whoever has it can read the file until ${until}.`;
  const actions = element('div', { class: 'dialog-actions' }, close);
  const opened = openDialog('Your link', context.signal, element('p', {}, text), field, actions);
  field.select();
}

async function remove(context: ViewContext, file: FileAddress, onDeleted: () => void): Promise<void> {
  const name = lastPart(file.name);
  const question = {
    title: 'Delete this file?',
    text: element('span', {}, visibleName(name), ' will be gone for everybody. This cannot be undone.'),
    action: 'Delete file',
  };
  if (await confirmRemoval(question, context.signal)) {
    await attempt(context, async () => {
      await deleteObject(context.client, file.bucket, file.name);
      announce(`${nameInText(name)} is deleted.`);
      onDeleted();
    });
  }
}
