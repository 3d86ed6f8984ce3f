/**
 * The list of a folder: pages of it, filtered, listed again when something changed. Rows that did not change stay in
 * the page, with their pictures and the focus. It uploads nothing.
 */

import type { Entry } from '@rowlock/client';
import { button, element } from './element.ts';
import { emptyState, failedState } from './empty-state.ts';
import { fileRow, folderRow, identityOf } from './entry-row.ts';
import { listPage } from './object-calls.ts';
import { type Place, prefixOf } from './place.ts';
import { announce } from './status-line.ts';
import { Thumbnails } from './thumbnail.ts';
import { attempt, type ViewContext } from './view.ts';

const pageLength = 100;

export class FolderList {
  readonly element: HTMLElement = element('div', { class: 'content', 'aria-busy': 'true' });
  readonly #context: ViewContext;
  readonly #place: Place;
  readonly #thumbnails: Thumbnails;
  readonly #ifDeleted: () => void;
  #rows: ReadonlyMap<string, HTMLElement> = new Map();
  #search = '';
  #length = pageLength;
  #loading = false;
  #stale = false;

  /** `ifDeleted` is called after the list was loaded without a file that was deleted from it. */
  constructor(context: ViewContext, place: Place, ifDeleted: () => void) {
    this.#context = context;
    this.#place = place;
    this.#thumbnails = new Thumbnails(context);
    this.#ifDeleted = ifDeleted;
  }

  /** Shows only names that contain the text. */
  filter(search: string): void {
    this.#search = search;
    this.#length = pageLength;
    void this.load();
  }

  /** Lists the folder again. While that is under way, asking more often lists it once more. */
  async load(): Promise<void> {
    this.#stale = true;
    if (this.#loading) {
      return;
    }
    this.#loading = true;
    while (this.#stale && !this.#context.signal.aborted) {
      this.#stale = false;
      await attempt(
        this.#context,
        () => this.#list(),
        (sentence) => this.#showFailure(sentence),
      );
    }
    this.#loading = false;
    this.element.removeAttribute('aria-busy');
  }

  /** A list that is there stays: it is old, and better than none. */
  #showFailure(sentence: string): void {
    if (this.#rows.size > 0) {
      announce(sentence);
    } else {
      this.element.replaceChildren(failedState(sentence, () => void this.load()));
    }
  }

  async #list(): Promise<void> {
    const entries: Entry[] = [];
    const page = { prefix: prefixOf(this.#place), search: this.#search };
    for (let offset = 0, full = true; offset <= this.#length && full; offset = entries.length) {
      const limit = Math.min(1000, this.#length + 1 - offset);
      const found = await listPage(this.#context.client, this.#place.bucket ?? '', { ...page, offset, limit });
      entries.push(...found);
      full = found.length === limit;
    }
    this.#show(entries.slice(0, this.#length), entries.length > this.#length);
  }

  #show(entries: readonly Entry[], more: boolean): void {
    if (entries.length === 0) {
      this.#rows = new Map();
      this.element.replaceChildren(this.#search === '' ? nothingHere(this.#place) : nothingFound(this.#search));
      return;
    }
    const focused = document.activeElement;
    const rows = new Map(entries.map((entry) => [identityOf(entry), this.#rowOf(entry)]));
    this.#rows = rows;
    const list = this.element.querySelector('ul') ?? element('ul', { class: 'rows files' });
    list.replaceChildren(...rows.values());
    this.element.replaceChildren(list, ...(more ? [this.#moreButton()] : []));
    if (focused instanceof HTMLElement && focused !== document.activeElement && focused.isConnected) {
      focused.focus();
    }
  }

  #rowOf(entry: Entry): HTMLElement {
    const kept = this.#rows.get(identityOf(entry));
    if (kept !== undefined) {
      return kept;
    }
    if (entry.id === null) {
      return folderRow(this.#place, entry);
    }
    const onDeleted = (): void => void this.load().then(this.#ifDeleted);
    return fileRow(this.#place, entry, { context: this.#context, thumbnails: this.#thumbnails, onDeleted });
  }

  #moreButton(): HTMLElement {
    const showMore = (): void => {
      this.#length += pageLength * 5;
      void this.load();
    };
    return button({ class: 'more', press: showMore }, 'Show more');
  }
}

function nothingHere({ folders }: Place): HTMLElement {
  return folders.length === 0
    ? emptyState('image', 'No files yet', 'Choose files with the button above, drop them here, or paste a picture.')
    : emptyState('folder', 'Nothing in this folder', 'A folder is there as long as a file is in it. Upload one.');
}

function nothingFound(search: string): HTMLElement {
  return emptyState('file', 'No match', `No name in this folder contains “${search}”.`);
}
