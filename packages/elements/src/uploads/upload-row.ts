/** One file's line in a list of uploads. It is made once and changed in place, so that the focus stays where it is. */
import { button, element } from '../page/element.ts';
import { type IconName, icon } from '../page/icon.ts';
import { nameInText, visibleName } from '../page/visible-name.ts';
import { bytesInWords, failureInWords, timeLeftInWords } from '../page/wording.ts';
import { placeInWords } from './photo-place.ts';
import { isSettled, lastPart, type QueuedUpload, type UploadState } from './queued-upload.ts';
import { isWorthAnotherTry, type UploadQueue } from './upload-queue.ts';

export class UploadRow {
  readonly element: HTMLElement = element('li', { class: 'upload' });
  readonly #id: string;
  readonly #queue: UploadQueue;
  readonly #words = element('span', { class: 'upload-words' });
  readonly #place = element('span', { class: 'upload-place' });
  readonly #progress = element('progress', {});
  readonly #buttons = element('span', { class: 'row-actions' });
  #state: UploadState | undefined;

  constructor(id: string, queue: UploadQueue) {
    this.#id = id;
    this.#queue = queue;
  }

  show(upload: QueuedUpload): void {
    if (this.#state === undefined) {
      const name = lastPart(upload.name);
      this.element.append(visibleName(name), this.#buttons, this.#progress, this.#words, this.#place);
      this.#progress.setAttribute('aria-label', nameInText(name));
    }
    this.#progress.max = Math.max(1, upload.file.size);
    this.#progress.value = upload.sent_bytes;
    setText(this.#words, wordsOf(upload));
    setText(this.#place, upload.place === undefined ? '' : placeInWords(upload.place));
    if (upload.state !== this.#state) {
      this.#state = upload.state;
      this.#enter(upload);
    }
  }

  #enter(upload: QueuedUpload): void {
    const { state } = upload;
    this.element.className = `upload ${state}`;
    this.#progress.hidden = isSettled(upload) || state === 'waiting';
    const root = this.element.getRootNode() as Document | ShadowRoot;
    const hadFocus = this.#buttons.contains(root.activeElement);
    this.#buttons.replaceChildren(...this.#actionsFor(upload));
    if (hadFocus) {
      this.#buttons.querySelector('button')?.focus();
    }
    if (state === 'sending') {
      this.#scrollIntoList();
    }
  }

  /** Scrolls the list and never the page, which is somebody's who reads it. */
  #scrollIntoList(): void {
    const list = this.element.parentElement;
    if (list !== null) {
      list.scrollTop = Math.max(0, this.element.offsetTop - list.offsetTop - list.clientHeight / 2);
    }
  }

  #actionsFor(upload: QueuedUpload): readonly (HTMLElement | SVGElement)[] {
    const { state, error } = upload;
    const [id, queue] = [this.#id, this.#queue];
    const shown = nameInText(lastPart(upload.name));
    const quiet = (word: string, pictogram: IconName, press: () => void): HTMLButtonElement =>
      button({ class: 'quiet', label: `${word} ${shown}`, press }, icon(pictogram));
    const cancel = quiet('Cancel', 'close', () => queue.cancel(id));
    if (state === 'done') {
      return [icon('check')];
    }
    if (state === 'failed' && error?.reason === 'object_exists') {
      const replace = (): void => queue.retry(id, { replace: true });
      return [button({ label: `Replace ${shown}`, press: replace }, 'Replace')];
    }
    if (isWorthAnotherTry(upload)) {
      return [button({ label: `Retry ${shown}`, press: () => queue.retry(id) }, icon('retry'), 'Retry')];
    }
    if (state === 'failed') {
      return [icon('warning')];
    }
    if (state === 'paused') {
      return [quiet('Resume', 'play', () => queue.resume(id)), cancel];
    }
    return state === 'storing' ? [cancel] : [quiet('Pause', 'pause', () => queue.pause(id)), cancel];
  }
}

function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) {
    target.textContent = text;
  }
}

function wordsOf(upload: QueuedUpload): string {
  const { state, sent_bytes, file, error, resumedBytes } = upload;
  const far = `${bytesInWords(sent_bytes)} of ${bytesInWords(file.size)}`;
  switch (state) {
    case 'waiting':
      return sent_bytes > 0 ? `Waits at ${far}` : `Waits, ${bytesInWords(file.size)}`;
    case 'sending':
      return upload.retrying
        ? `${far} · The connection was lost, trying again …`
        : [far, ...paceOf(upload)].join(' · ');
    case 'paused':
      return `Paused at ${far}`;
    case 'storing':
      return 'Storing …';
    case 'done':
      return `Uploaded, ${bytesInWords(file.size)}${resumedBytes > 0 ? `, ${bytesInWords(resumedBytes)} of it before` : ''}`;
    case 'cancelled':
      return 'Cancelled';
    case 'failed':
      return error === undefined ? 'Failed' : failureInWords(error);
  }
}

/** How fast it goes and how long it will take, and that it goes on where an earlier visit stopped. */
function paceOf({ bytesPerSecond, secondsLeft, resumedBytes }: QueuedUpload): readonly string[] {
  return [
    ...(resumedBytes > 0 ? [`resumed at ${bytesInWords(resumedBytes)}`] : []),
    ...(bytesPerSecond === undefined ? [] : [`${bytesInWords(Math.round(bytesPerSecond))}/s`]),
    ...(secondsLeft === undefined ? [] : [timeLeftInWords(secondsLeft)]),
  ];
}
