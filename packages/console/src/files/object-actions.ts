/**
 * What can be done with a file, wherever it is shown: download, copy a link, delete. Each says what came of it. Bytes
 * never pass through the page: a download is a link for a minute that the browser opens itself.
 */
import { openDialog } from '../dialog.ts';
import { button, element } from '../element.ts';
import { icon } from '../icon.ts';
import { announce } from '../status-line.ts';
import { attempt, type ViewContext } from '../view.ts';
import { nameInText } from '../visible-name.ts';
import { clockInWords } from '../wording.ts';
import { deleteChosen } from './deletion.ts';
import { type LinkTerms, signLink } from './object-calls.ts';
import { type FileAddress, lastPart } from './object-name.ts';

const downloadSeconds = 60;
const linkSeconds = 3600;

/** Makes the three buttons of a file; `onDeleted` is called once it is gone, and when it is back. */
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
  const remove = (): Promise<void> =>
    deleteChosen(context, { bucket: file.bucket, files: [file.name], folders: [] }, onDeleted);
  return [
    make('download', 'Download', `Download ${name}`, () => void download(context, file)),
    make('link', 'Copy link', `Copy a link to ${name}`, (pressed) => void copyLink(context, file, pressed)),
    make('trash', 'Delete', `Delete ${name}`, () => void remove()),
  ];
}

/** Has the browser save a file, or one of its versions. */
export function download(context: ViewContext, file: FileAddress, version?: string): Promise<void> {
  return attempt(context, async () => {
    const saved = lastPart(file.name);
    const terms: LinkTerms = { expiresIn: downloadSeconds, download: saved };
    const asked = version === undefined ? terms : { ...terms, version_id: version };
    const { url } = await signLink(context.client, file.bucket, file.name, asked);
    element('a', { href: url, download: saved, rel: 'noreferrer' }).click();
  });
}

function copyLink(context: ViewContext, file: FileAddress, pressed: HTMLButtonElement): Promise<void> {
  return attempt(context, async () => {
    const { url, expires_at } = await context.client.sign(file.bucket, file.name, { expirySeconds: linkSeconds });
    const until = clockInWords(new Date(expires_at));
    const text = `Whoever has it can read the file until ${until}.`;
    await copyText(context, url, { what: 'Link', text, pressed });
  });
}

/** Copies a text, or shows it where the browser refuses: on pages without TLS, and by some settings. */
export async function copyText(
  context: ViewContext,
  copied: string,
  said: { readonly what: string; readonly text: string; readonly pressed: HTMLButtonElement },
): Promise<void> {
  try {
    await navigator.clipboard.writeText(copied);
  } catch {
    showText(context, copied, said);
    return;
  }
  showCopied(said.pressed);
  announce(`${said.what} copied. ${said.text}`.trim());
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

function showText(
  context: ViewContext,
  copied: string,
  { what, text }: { readonly what: string; readonly text: string },
) {
  const field = element('textarea', { readonly: true, rows: '4', 'aria-label': what });
  field.value = copied;
  const close = button({ press: () => opened.close(false) }, 'Close');
  const actions = element('div', { class: 'dialog-actions' }, close);
  const opened = openDialog(`Copy it from here`, context.signal, element('p', {}, text), field, actions);
  field.select();
}
