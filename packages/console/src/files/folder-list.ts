/**
 * The list of a folder: rows as they are wanted, chosen by pointer and keys, listed again when something changed. It says
 * what is chosen and does nothing to it. Invariant: what is shown is of one listing, never of two.
 */
import type { Entry } from '@rowlock/client';
import { element } from '../element.ts';
import { emptyState, failedState } from '../empty-state.ts';
import { type Place, prefixOf } from '../place.ts';
import { announce } from '../status-line.ts';
import { attempt, type ViewContext } from '../view.ts';
import { entryRow, identityOf, markChosen, waitingRow } from './entry-row.ts';
import { FolderRows, type Listing } from './folder-rows.ts';
import { movedTo } from './grid-keys.ts';
import { Selection } from './selection.ts';
import { Thumbnails } from './thumbnail.ts';
import { VirtualGrid } from './virtual-grid.ts';

/** A range by shift has at most so many rows; all are chosen at once by Control A. */
const rangeMax = 20_000;

export interface FolderListEvents {
  readonly onOpened: (entry: Entry) => void;
  readonly onChosen: () => void;
  /** Somebody pressed the key for it. */
  readonly onDelete: () => void;
  /** The list is empty now, and had the focus. */
  readonly onFocusLost: () => void;
}

export class FolderList {
  readonly element: HTMLElement = element('div', { class: 'content', 'aria-busy': 'true' });
  readonly selection: Selection = new Selection();
  readonly #context: ViewContext;
  readonly #place: Place;
  readonly #events: FolderListEvents;
  readonly #grid: VirtualGrid;
  readonly #thumbnails: Thumbnails;
  #listing: Listing;
  #rows: FolderRows;
  #loading = false;
  #stale = false;

  constructor(context: ViewContext, place: Place, events: FolderListEvents) {
    this.#context = context;
    this.#place = place;
    this.#events = events;
    this.#thumbnails = new Thumbnails(context);
    this.#listing = {
      bucket: place.bucket ?? '',
      prefix: prefixOf(place),
      search: '',
      recursive: false,
      sort: 'name',
    };
    this.#rows = new FolderRows(context.client, this.#listing);
    this.#grid = new VirtualGrid(
      {
        label: 'Files',
        keyAt: (index) => this.#keyAt(index),
        makeRow: (index) => this.#makeRow(index),
        onSight: (from, until) => this.#read(from, until),
      },
      context.signal,
    );
    this.#grid.element.addEventListener('keydown', (event) => this.#press(event));
    this.#grid.element.addEventListener('click', (event) => this.#click(event), { capture: true });
  }

  /** How many rows the listing has. */
  get total(): number {
    return this.#rows.total;
  }

  /** How many rows are chosen. */
  get chosenCount(): number {
    return this.selection.count(this.total);
  }

  /** Lists something else of the same folder, from its beginning. Nothing is chosen of it. */
  change(listing: Partial<Pick<Listing, 'search' | 'recursive' | 'sort'>>): void {
    this.#listing = { ...this.#listing, ...listing };
    this.clear();
    void this.load();
  }

  /** Chooses nothing. */
  clear(): void {
    this.selection.clear();
    this.#showChosen();
  }

  /** Chooses everything. */
  chooseAll(): void {
    this.selection.all();
    this.#showChosen();
  }

  /** What is chosen, or the row with the focus where nothing is. */
  async chosen(): Promise<readonly Entry[]> {
    if (this.chosenCount === 0) {
      const active = this.#rows.at(this.#grid.active);
      return active === undefined ? [] : [active];
    }
    const { bucket, prefix, search, recursive } = this.#listing;
    return this.selection.entries(() => this.#context.client.list(bucket, prefix, { search, recursive }));
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
    if (this.#grid.total > 0) {
      announce(sentence);
    } else {
      this.element.replaceChildren(failedState(sentence, () => void this.load()));
    }
  }

  async #list(): Promise<void> {
    const rows = new FolderRows(this.#context.client, this.#listing);
    await rows.open();
    // What was in sight is read before it is shown, so that nothing flickers.
    const from = Math.max(0, this.#grid.active - this.#grid.rowsInSight);
    await rows.read(from, Math.min(rows.total, from + 2 * this.#grid.rowsInSight));
    this.#rows = rows;
    const hadFocus = this.#grid.hasFocus;
    if (rows.total === 0) {
      this.element.replaceChildren(
        this.#listing.search === '' ? nothingHere(this.#place) : nothingFound(this.#listing),
      );
    } else if (this.#grid.element.parentElement === null) {
      this.element.replaceChildren(this.#grid.element);
    }
    this.#grid.show(rows.total, rows.isWhole ? String(rows.total) : '-1');
    if (hadFocus && rows.total === 0) {
      this.#events.onFocusLost();
    }
    this.#showChosen();
  }

  #keyAt(index: number): string {
    const entry = this.#rows.at(index);
    return entry === undefined ? `waiting ${index}` : identityOf(entry);
  }

  #makeRow(index: number): HTMLElement {
    const entry = this.#rows.at(index);
    if (entry === undefined) {
      return waitingRow();
    }
    const row = entryRow(entry, {
      context: this.#context,
      place: this.#place,
      thumbnails: this.#thumbnails,
      onOpened: this.#events.onOpened,
      onDeleted: () => void this.load(),
    });
    markChosen(row, this.selection.has(entry));
    return row;
  }

  #read(from: number, until: number): void {
    const rows = this.#rows;
    if (rows.has(from, until)) {
      return;
    }
    void attempt(this.#context, async () => {
      await rows.read(from, until);
      if (rows === this.#rows) {
        this.#grid.show(rows.total, rows.isWhole ? String(rows.total) : '-1');
      }
    });
  }

  #showChosen(): void {
    for (const row of this.#grid.element.querySelectorAll<HTMLElement>('[role="row"]')) {
      const entry = this.#rows.at(this.#grid.indexOf(row) ?? -1);
      if (entry !== undefined) {
        markChosen(row, this.selection.has(entry));
      }
    }
    this.element.classList.toggle('choosing', this.chosenCount > 0);
    this.#events.onChosen();
  }

  #toggle(index: number): void {
    const entry = this.#rows.at(index);
    if (entry !== undefined) {
      this.selection.toggle(entry, index);
      this.#showChosen();
    }
  }

  /** Chooses from where the last single row was chosen to this one. */
  async #extendTo(index: number): Promise<void> {
    const { anchor } = this.selection;
    const from = Math.max(Math.min(anchor, index), index - rangeMax);
    const until = Math.min(Math.max(anchor, index) + 1, from + rangeMax);
    await attempt(this.#context, async () => {
      this.selection.extend(await this.#rows.read(from, until));
      this.#showChosen();
    });
  }

  #click(event: MouseEvent): void {
    const index = this.#grid.indexOf(event.target);
    const { target } = event;
    if (index === undefined || !(target instanceof Element)) {
      return;
    }
    const isBox = target.closest('.row-choice') !== null;
    const isName = target.closest('.row-name') !== null;
    if (event.shiftKey && (isBox || isName)) {
      event.preventDefault();
      event.stopPropagation();
      // A box keeps what its click was about to make of it until the click is over.
      setTimeout(() => void this.#extendTo(index));
    } else if (isBox || (isName && (event.ctrlKey || event.metaKey))) {
      if (target instanceof HTMLInputElement) {
        this.#toggle(index);
      } else {
        event.preventDefault();
        event.stopPropagation();
        this.#toggle(index);
      }
    }
  }

  #press(event: KeyboardEvent): void {
    const { key, target, shiftKey } = event;
    const isCommand = event.ctrlKey || event.metaKey;
    const isRow = target instanceof Element && target.getAttribute('role') === 'row';
    const moved = movedTo(key, this.#grid.active, { total: this.total, page: this.#grid.rowsInSight });
    if (moved !== undefined) {
      this.#move(moved, shiftKey);
    } else if (isCommand && key.toLowerCase() === 'a') {
      this.chooseAll();
    } else if (key === 'Escape' && this.chosenCount > 0) {
      this.clear();
    } else if (key === 'Delete') {
      this.#events.onDelete();
    } else if (isRow && key === ' ') {
      this.#toggle(this.#grid.active);
    } else if (isRow && key === 'Enter') {
      target.querySelector<HTMLElement>('.row-name')?.click();
    } else {
      return;
    }
    event.preventDefault();
  }

  #move(index: number, isRange: boolean): void {
    const from = this.#grid.active;
    if (isRange && this.chosenCount === 0) {
      this.selection.startAt(from);
    }
    this.#grid.focus(index);
    if (isRange) {
      void this.#extendTo(index);
    }
  }
}

function nothingHere({ folders }: Place): HTMLElement {
  return folders.length === 0
    ? emptyState('image', 'No files yet', 'Choose files with the button above, drop them here, or paste a picture.')
    : emptyState('folder', 'Nothing in this folder', 'A folder is there as long as a file is in it. Upload one.');
}

function nothingFound({ search, recursive }: Listing): HTMLElement {
  const where = recursive ? 'here or below' : 'in this folder';
  return emptyState('file', 'No match', `No name ${where} contains “${search}”.`);
}
