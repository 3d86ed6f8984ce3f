/**
 * The uploads of a queue as a page shows them: how far all are and each is, and what can be done about them. It follows
 * the queue and decides nothing. Invariant: what is read aloud is what came of files, never each step of one.
 */
import { button, element } from '../page/element.ts';
import { icon } from '../page/icon.ts';
import { oncePerTurn } from '../page/once-per-turn.ts';
import { nameInText } from '../page/visible-name.ts';
import { bytesInWords, failureInWords, filesInWords, timeLeftInWords } from '../page/wording.ts';
import { placeInWords } from './photo-place.ts';
import { isSettled, lastPart, progressOf, type QueuedUpload, type UploadState } from './queued-upload.ts';
import { isWorthAnotherTry, type UploadQueue } from './upload-queue.ts';
import { UploadRow } from './upload-row.ts';

interface ListParts {
  readonly summary: HTMLElement;
  readonly words: HTMLElement;
  readonly total: HTMLProgressElement;
  readonly actions: Readonly<Record<'pause' | 'resume' | 'retry' | 'cancel' | 'clear', HTMLButtonElement>>;
}

export class UploadList {
  readonly element: HTMLElement;
  readonly #rows = new Map<string, UploadRow>();
  readonly #list = element('ul', { class: 'uploads' });
  readonly #spoken = element('p', { class: 'spoken', role: 'status', 'aria-live': 'polite' });
  readonly #queue: UploadQueue;
  readonly #parts: ListParts;
  readonly #last = new Map<string, string>();

  /** Follows the queue until the signal ends. */
  constructor(queue: UploadQueue, signal: AbortSignal) {
    this.#queue = queue;
    this.#parts = partsFor(queue);
    const { summary, words, total, actions } = this.#parts;
    this.element = element(
      'div',
      { class: 'upload-list' },
      element('header', {}, summary, element('span', { class: 'all-actions' }, ...Object.values(actions))),
      total,
      words,
      this.#list,
      this.#spoken,
    );
    for (const [id, upload] of queue.entries()) {
      this.#show(id, upload);
    }
    const summarise = oncePerTurn(() => this.#summarise());
    queue.listen((id, upload) => {
      this.#show(id, upload);
      summarise();
    }, signal);
    this.#summarise();
  }

  #show(id: string, upload: QueuedUpload | undefined): void {
    if (upload === undefined) {
      this.#rows.get(id)?.element.remove();
      this.#rows.delete(id);
      this.#last.delete(id);
      return;
    }
    const row = this.#rows.get(id) ?? new UploadRow(id, this.#queue);
    if (!this.#rows.has(id)) {
      this.#rows.set(id, row);
      this.#list.append(row.element);
    }
    row.show(upload);
    this.#speakOf(id, upload);
  }

  /** Says what came of a file, once. */
  #speakOf(id: string, upload: QueuedUpload): void {
    const outcome = `${upload.state} ${upload.place?.state}`;
    if (this.#last.get(id) === outcome) {
      return;
    }
    this.#last.set(id, outcome);
    const name = nameInText(lastPart(upload.name));
    if (upload.state === 'failed' && upload.error !== undefined) {
      this.#spoken.textContent = `${name} failed. ${failureInWords(upload.error)}`;
    } else if (upload.place !== undefined) {
      this.#spoken.textContent = `${name}: ${placeInWords(upload.place)}`;
    } else if (upload.state === 'done' && upload.resumedBytes > 0) {
      this.#spoken.textContent = `${name} went on where it had stopped, and is there.`;
    } else if (upload.state === 'done') {
      this.#spoken.textContent = `${name} is uploaded.`;
    }
  }

  #summarise(): void {
    const uploads = this.#queue.entries().map(([, upload]) => upload);
    const { summary, words, total, actions } = this.#parts;
    const open = uploads.filter((upload) => !isSettled(upload));
    const is = (...states: readonly UploadState[]): number =>
      uploads.filter(({ state }) => states.includes(state)).length;
    const { sentBytes, bytes, bytesPerSecond, secondsLeft } = progressOf(uploads);
    this.element.hidden = uploads.length === 0;
    this.element.classList.toggle('settled', open.length === 0);
    total.hidden = open.length === 0;
    total.max = Math.max(1, bytes);
    total.value = sentBytes;
    words.hidden = open.length < 2;
    words.textContent = [
      `${is('done')} of ${filesInWords(uploads.length)}`,
      `${bytesInWords(sentBytes)} of ${bytesInWords(bytes)}`,
      ...(bytesPerSecond === undefined ? [] : [`${bytesInWords(Math.round(bytesPerSecond))}/s`]),
      ...(secondsLeft === undefined ? [] : [timeLeftInWords(secondsLeft)]),
    ].join(' · ');
    const text = summaryOf({ open: open.length, paused: is('paused'), done: is('done'), failed: is('failed') });
    if (summary.textContent !== text) {
      summary.textContent = text;
    }
    show(actions.pause, is('waiting', 'sending') > 0 && open.length > 1);
    show(actions.resume, is('paused') > 0 && open.length > 1);
    show(actions.cancel, open.length > 1);
    show(actions.retry, uploads.filter(isWorthAnotherTry).length > 1);
    show(actions.clear, open.length < uploads.length);
  }
}

function partsFor(queue: UploadQueue): ListParts {
  const quiet = (word: string, press: () => void): HTMLButtonElement => button({ class: 'quiet', press }, word);
  return {
    summary: element('h2', { tabindex: '-1' }),
    words: element('p', { class: 'upload-words' }),
    total: element('progress', { 'aria-label': 'All uploads' }),
    actions: {
      pause: quiet('Pause all', () => queue.pauseAll()),
      resume: quiet('Resume all', () => queue.resumeAll()),
      retry: button({ press: () => queue.retryAll() }, icon('retry'), 'Retry all'),
      cancel: quiet('Cancel all', () => queue.cancelAll()),
      clear: quiet('Clear', () => queue.clearSettled()),
    },
  };
}

/** A button that goes leaves the focus to the heading beside it. */
function show(action: HTMLButtonElement, isShown: boolean): void {
  const root = action.getRootNode() as Document | ShadowRoot;
  const hadFocus = !isShown && root.activeElement === action;
  action.hidden = !isShown;
  if (hadFocus) {
    action.closest('header')?.querySelector('h2')?.focus();
  }
}

interface Counts {
  readonly open: number;
  readonly paused: number;
  readonly done: number;
  readonly failed: number;
}

function summaryOf({ open, paused, done, failed }: Counts): string {
  if (open > 0) {
    const stopped = paused === open ? 'Paused: ' : 'Uploading ';
    return `${stopped}${filesInWords(open)}${failed > 0 ? `, ${failedInWords(failed)}` : ''}`;
  }
  const parts = [done > 0 && `${filesInWords(done)} uploaded`, failed > 0 && failedInWords(failed)];
  const words = parts.filter((part) => part !== false).join(', ') || 'Uploads';
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function failedInWords(count: number): string {
  return count === 1 ? 'one failed' : `${count} failed`;
}
