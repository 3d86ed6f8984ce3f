/**
 * The uploads of this tab, whatever view is open: how far each is, why one failed, and what can be done about it. It
 * follows the queue and decides nothing.
 */
import { button, element } from './element.ts';
import { icon } from './icon.ts';
import { lastPart } from './object-actions.ts';
import { announce } from './status-line.ts';
import { isSettled, type Upload, type UploadQueue, type UploadState } from './upload-queue.ts';
import { nameInText, visibleName } from './visible-name.ts';
import { bytesInWords, failureInWords, filesInWords } from './wording.ts';

/** Keeps the element filled with the queue's uploads until the signal ends. */
export function showUploads(tray: HTMLElement, queue: UploadQueue, signal: AbortSignal): void {
  const rows = new Map<string, UploadRow>();
  const summary = element('h2', {});
  const total = element('progress', { 'aria-label': 'All uploads' });
  const clear = button({ class: 'quiet', press: () => queue.clearSettled() }, 'Clear');
  const list = element('ul', {});
  tray.replaceChildren(element('header', {}, summary, clear), total, list);
  queue.listen((id, upload) => {
    if (upload === undefined) {
      rows.get(id)?.element.remove();
      rows.delete(id);
    } else {
      const row = rows.get(id) ?? new UploadRow(id, queue);
      if (!rows.has(id)) {
        rows.set(id, row);
        list.append(row.element);
      }
      row.show(upload);
    }
    summarise(queue, { tray, summary, total, clear });
  }, signal);
  signal.addEventListener('abort', () => {
    tray.hidden = true;
    tray.replaceChildren();
  });
}

interface TrayParts {
  readonly tray: HTMLElement;
  readonly summary: HTMLElement;
  readonly total: HTMLProgressElement;
  readonly clear: HTMLButtonElement;
}

function summarise(queue: UploadQueue, { tray, summary, total, clear }: TrayParts): void {
  const uploads = queue.entries().map(([, upload]) => upload);
  const open = uploads.filter((upload) => !isSettled(upload));
  const failed = uploads.filter(({ state }) => state === 'failed').length;
  const done = uploads.filter(({ state }) => state === 'done').length;
  tray.hidden = uploads.length === 0;
  tray.classList.toggle('settled', open.length === 0);
  clear.hidden = open.length === uploads.length;
  total.hidden = open.length === 0;
  const counted = uploads.filter(({ state }) => state !== 'failed' && state !== 'cancelled');
  total.max = Math.max(1, sum(counted.map(({ file }) => file.size)));
  total.value = sum(counted.map(({ sent_bytes }) => sent_bytes));
  if (open.length > 0) {
    summary.textContent = `Uploading ${filesInWords(open.length)}`;
  } else {
    const parts = [
      done > 0 && `${filesInWords(done)} uploaded`,
      failed > 0 && (failed === 1 ? 'one failed' : `${failed} failed`),
    ];
    const words = parts.filter((part) => part !== false).join(', ') || 'Uploads';
    summary.textContent = words.charAt(0).toUpperCase() + words.slice(1);
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** One file's line. It is made once and changed in place, so that the focus stays where it is. */
class UploadRow {
  readonly element: HTMLElement = element('li', { class: 'upload' });
  readonly #id: string;
  readonly #queue: UploadQueue;
  readonly #words = element('span', { class: 'upload-words' });
  readonly #progress = element('progress', {});
  readonly #buttons = element('span', { class: 'row-actions' });
  #state: UploadState | undefined;

  constructor(id: string, queue: UploadQueue) {
    this.#id = id;
    this.#queue = queue;
  }

  show(upload: Upload): void {
    if (this.#state === undefined) {
      const name = lastPart(upload.name);
      this.element.append(visibleName(name), this.#buttons, this.#progress, this.#words);
      this.#progress.setAttribute('aria-label', nameInText(name));
    }
    this.#progress.max = Math.max(1, upload.file.size);
    this.#progress.value = upload.sent_bytes;
    this.#words.textContent = wordsOf(upload);
    if (upload.state !== this.#state) {
      this.#state = upload.state;
      this.#enter(upload);
    }
  }

  #enter(upload: Upload): void {
    const { state } = upload;
    this.element.className = `upload ${state}`;
    this.#progress.hidden = isSettled(upload) || state === 'waiting';
    const hadFocus = this.#buttons.contains(document.activeElement);
    this.#buttons.replaceChildren(...this.#buttonsFor(upload));
    if (hadFocus) {
      this.#buttons.querySelector('button')?.focus();
    }
    const name = nameInText(lastPart(upload.name));
    if (state === 'sending') {
      this.element.scrollIntoView({ block: 'nearest' });
    } else if (state === 'done') {
      announce(`${name} is uploaded.`, { visible: false });
    } else if (state === 'failed' && upload.error !== undefined) {
      announce(`${name} failed. ${failureInWords(upload.error)}`, { visible: false });
    }
  }

  #buttonsFor({ state, error, name }: Upload): readonly (HTMLElement | SVGElement)[] {
    const shown = nameInText(lastPart(name));
    const [id, queue] = [this.#id, this.#queue];
    if (state === 'done') {
      return [icon('check')];
    }
    if (state === 'failed' && error?.reason === 'object_exists') {
      const replace = (): void => queue.retry(id, { replace: true });
      return [button({ label: `Replace ${shown}`, press: replace }, 'Replace')];
    }
    if (state === 'failed' && (error?.reason === 'too_large' || error?.reason === 'media_type_not_allowed')) {
      return [icon('warning')];
    }
    if (state === 'failed' || state === 'cancelled') {
      const again = (): void => queue.retry(id);
      return [button({ label: `Retry ${shown}`, press: again }, icon('retry'), 'Retry')];
    }
    const cancel = (): void => queue.cancel(id);
    return [button({ class: 'quiet', label: `Cancel ${shown}`, press: cancel }, icon('close'))];
  }
}

function wordsOf({ state, sent_bytes, file, error }: Upload): string {
  switch (state) {
    case 'waiting':
      return `Waits, ${bytesInWords(file.size)}`;
    case 'sending':
      return `${bytesInWords(sent_bytes)} of ${bytesInWords(file.size)}`;
    case 'storing':
      return 'Storing …';
    case 'done':
      return `Uploaded, ${bytesInWords(file.size)}`;
    case 'cancelled':
      return 'Cancelled';
    case 'failed':
      return error === undefined ? 'Failed' : failureInWords(error);
  }
}
