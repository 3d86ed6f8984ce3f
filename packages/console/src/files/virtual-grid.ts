/**
 * A list of any length of which only the rows in sight, and the one with the focus, are in the page. It places and moves:
 * what is in a row, and what is done with it, is for whoever makes it. Invariants: every row is as high as the next, so
 * that its place follows from its number; a row whose key stays the same stays in the page with its focus and picture.
 */
import { element } from '../element.ts';
import { ScrollSpan } from './scroll-span.ts';

export interface GridSource {
  readonly label: string;
  /** Changes when the row at a place must be made anew. */
  keyAt(index: number): string;
  makeRow(index: number): HTMLElement;
  /** Called with the rows that are in sight now. */
  onSight(from: number, until: number): void;
}

/** Rows beyond the edges of the window that are there before somebody scrolls to them. */
const overscan = 8;
const rowHeightRem = 4.5;

export class VirtualGrid {
  readonly element: HTMLElement;
  readonly #space: HTMLElement = element('div', { class: 'grid-space', role: 'rowgroup' });
  readonly #source: GridSource;
  #rows: Map<string, HTMLElement> = new Map();
  #total = 0;
  #active = 0;
  #frame: number | undefined;

  constructor(source: GridSource, signal: AbortSignal) {
    this.#source = source;
    this.element = element(
      'div',
      { class: 'rows files', role: 'grid', 'aria-multiselectable': 'true', 'aria-label': source.label },
      this.#space,
    );
    const later = (): void => {
      this.#frame ??= requestAnimationFrame(() => this.#render());
    };
    addEventListener('scroll', later, { signal, passive: true });
    addEventListener('resize', later, { signal });
    this.element.addEventListener('focusin', (event) => this.#followFocus(event));
  }

  get total(): number {
    return this.#total;
  }

  /** The row that keys move from. */
  get active(): number {
    return this.#active;
  }

  /** Whether the focus is in the list. */
  get hasFocus(): boolean {
    return this.element.contains(document.activeElement);
  }

  /** How many whole rows fit into the window. */
  get rowsInSight(): number {
    return Math.max(1, Math.floor(innerHeight / this.#rowHeight()) - 2);
  }

  /** Shows so many rows, which may be others than before. The focus stays in the list where it was there. */
  show(total: number, count: string): void {
    const hadFocus = this.hasFocus;
    this.#total = total;
    this.#active = Math.min(this.#active, Math.max(0, total - 1));
    this.element.setAttribute('aria-rowcount', count);
    this.#render();
    if (hadFocus && !this.hasFocus && total > 0) {
      this.focus(this.#active);
    }
  }

  /** Looks at the rows in sight again: some have come, or look different. */
  refresh(): void {
    this.#render();
  }

  /** Brings a row into sight and gives it the focus. */
  focus(index: number): void {
    if (this.#total === 0) {
      return;
    }
    this.#active = Math.max(0, Math.min(index, this.#total - 1));
    this.#scrollTo(this.#active);
    this.#render();
    this.#rows.get(this.#source.keyAt(this.#active))?.focus({ preventScroll: true });
  }

  /** The number of the row that an element is in. */
  indexOf(target: EventTarget | null): number | undefined {
    const row = target instanceof Element ? target.closest('[role="row"]') : null;
    const number = row === null || !this.#space.contains(row) ? undefined : row.getAttribute('aria-rowindex');
    return number === undefined || number === null ? undefined : Number(number) - 1;
  }

  #rowHeight(): number {
    return rowHeightRem * Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  }

  #span(): ScrollSpan {
    return new ScrollSpan({ rows: this.#total, rowHeight: this.#rowHeight(), windowHeight: innerHeight });
  }

  #scrollTo(index: number): void {
    const span = this.#span();
    this.#space.style.height = `${span.height}px`;
    const above = scrollY + this.#space.getBoundingClientRect().top;
    const wanted = span.scrollFor(index, scrollY - above);
    if (wanted !== undefined) {
      scrollTo(0, wanted + above);
    }
  }

  #render(): void {
    if (this.#frame !== undefined) {
      cancelAnimationFrame(this.#frame);
      this.#frame = undefined;
    }
    const span = this.#span();
    this.#space.style.height = `${span.height}px`;
    const scrolled = -this.#space.getBoundingClientRect().top;
    const sight = span.sight(scrolled, overscan);
    const wanted = new Set<number>();
    for (let index = sight.from; index < sight.until; index += 1) {
      wanted.add(index);
    }
    if (this.#active < this.#total) {
      wanted.add(this.#active);
    }
    this.#place(
      [...wanted].sort((one, other) => one - other),
      (index) => span.placeOf(index, scrolled),
    );
    this.#source.onSight(sight.from, sight.until);
  }

  /** Puts the rows in their order, moving none that is where it belongs: a row that is moved loses the focus. */
  #place(indexes: readonly number[], placeOf: (index: number) => number): void {
    const rows = new Map<string, HTMLElement>();
    for (const index of indexes) {
      const key = this.#source.keyAt(index);
      const row = this.#rows.get(key) ?? this.#source.makeRow(index);
      row.setAttribute('aria-rowindex', String(index + 1));
      row.style.transform = `translateY(${placeOf(index)}px)`;
      setTabbable(row, index === this.#active);
      rows.set(key, row);
    }
    for (const [key, row] of this.#rows) {
      if (!rows.has(key)) {
        row.remove();
      }
    }
    this.#rows = rows;
    let next = this.#space.firstElementChild;
    for (const row of rows.values()) {
      if (row === next) {
        next = next.nextElementSibling;
      } else {
        this.#space.insertBefore(row, next);
      }
    }
  }

  #followFocus({ target }: Event): void {
    const index = this.indexOf(target);
    if (index === undefined || index === this.#active) {
      return;
    }
    this.#active = index;
    for (const row of this.#rows.values()) {
      setTabbable(row, this.indexOf(row) === index);
    }
  }
}

/** Tab stops at one row, and at what is in it; arrows go from row to row. */
function setTabbable(row: HTMLElement, isTabbable: boolean): void {
  const value = isTabbable ? 0 : -1;
  if (row.tabIndex === value && row.hasAttribute('tabindex')) {
    return;
  }
  row.tabIndex = value;
  for (const control of row.querySelectorAll<HTMLElement>('a, button, input')) {
    control.tabIndex = value;
  }
}
