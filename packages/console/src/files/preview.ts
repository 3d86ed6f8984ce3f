/**
 * A look at a file without leaving the page: pictures and the first page of documents as the service rendered them, films and
 * sound by a link for an hour, texts by their beginning. The bytes of a stranger are never part of the page's own markup.
 */
import type { ObjectInfo } from '@rowlock/client';
import { button, element } from '../element.ts';
import { icon } from '../icon.ts';
import { attempt, type ViewContext } from '../view.ts';
import { nameInText } from '../visible-name.ts';
import { bytesInWords } from '../wording.ts';
import { readVariant, signLink } from './object-calls.ts';
import { type FileAddress, lastPart } from './object-name.ts';
import { previewKind } from './preview-kind.ts';
import { showPicture } from './thumbnail.ts';

const playedSeconds = 3600;
const textBytesMax = 65_536;

/** Makes the place of a preview and fills it; undefined for what cannot be looked at. */
export function preview(context: ViewContext, file: FileAddress, info: ObjectInfo): HTMLElement | undefined {
  const kind = previewKind(info);
  switch (kind) {
    case 'picture':
    case 'document':
      return pictured(context, file, info);
    case 'video':
    case 'audio':
      return played(context, file, kind);
    case 'text':
      return written(context, file, info);
    default:
      return undefined;
  }
}

function pictured(context: ViewContext, file: FileAddress, info: ObjectInfo): HTMLElement {
  const isDocument = previewKind(info) === 'document';
  const place = element('div', { class: 'object-picture' }, icon(isDocument ? 'file' : 'image'));
  if (!isDocument) {
    void showPicture(context, place, { ...file, type: info.content_type, updated_at: info.last_modified }, 'large');
    return place;
  }
  const load = async (): Promise<void> => {
    const blob = await readVariant(context.client, file.bucket, file.name, 'large');
    if (blob !== undefined) {
      const url = URL.createObjectURL(blob);
      context.signal.addEventListener('abort', () => URL.revokeObjectURL(url));
      place.replaceChildren(element('img', { src: url, alt: `The first page of ${nameInText(lastPart(file.name))}` }));
    }
  };
  void attempt(context, load, () => undefined);
  const open = button({ press: () => void openElsewhere(context, file) }, icon('file'), 'Open');
  return element('div', { class: 'object-document' }, place, open);
}

/** In a tab of its own, as the service sends it: saved, or in a sandbox where its bucket has such things shown. */
function openElsewhere(context: ViewContext, file: FileAddress): Promise<void> {
  return attempt(context, async () => {
    const { url } = await signLink(context.client, file.bucket, file.name, { expiresIn: 300 });
    element('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }).click();
  });
}

function played(context: ViewContext, file: FileAddress, kind: 'video' | 'audio'): HTMLElement {
  const player = element(kind, {
    controls: true,
    preload: 'metadata',
    class: 'object-player',
    'aria-label': nameInText(lastPart(file.name)),
  });
  const load = async (): Promise<void> => {
    player.src = (await signLink(context.client, file.bucket, file.name, { expiresIn: playedSeconds })).url;
  };
  void attempt(context, load);
  return player;
}

function written(context: ViewContext, file: FileAddress, info: ObjectInfo): HTMLElement {
  const text = element('pre', { class: 'object-text', tabindex: '0', 'aria-label': 'The text', 'aria-busy': 'true' });
  const whole = info.size <= textBytesMax;
  const load = async (): Promise<void> => {
    const range = whole ? {} : { range: `bytes=0-${textBytesMax - 1}` };
    const bytes = info.size === 0 ? '' : await (await context.client.download(file.bucket, file.name, range)).text();
    text.textContent = bytes;
    text.removeAttribute('aria-busy');
  };
  void attempt(context, load, (sentence) => text.replaceChildren(sentence));
  const cut = element('p', { class: 'hint' }, `The first ${bytesInWords(textBytesMax)} of ${bytesInWords(info.size)}.`);
  return element('div', { class: 'object-written' }, text, !whole && cut);
}
