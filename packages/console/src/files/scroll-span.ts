/**
 * Where rows of a long list are, in pixels. Browsers make no element as high as a million rows, so that a span that would
 * be higher than they can is shrunk: then scrolling by a pixel passes more than one. Pure numbers, without a page.
 */

/** What every browser can make. */
const heightMax = 8_000_000;

export class ScrollSpan {
  /** Of the element that holds the rows. */
  readonly height: number;
  readonly #whole: number;
  readonly #rows: number;
  readonly #rowHeight: number;
  readonly #windowHeight: number;

  constructor(sizes: { readonly rows: number; readonly rowHeight: number; readonly windowHeight: number }) {
    this.#rows = sizes.rows;
    this.#rowHeight = sizes.rowHeight;
    this.#windowHeight = sizes.windowHeight;
    this.#whole = sizes.rows * sizes.rowHeight;
    this.height = Math.min(this.#whole, heightMax);
  }

  /** The rows that are seen when the list was scrolled by so many pixels, with some more on either side. */
  sight(scrolled: number, more: number): { readonly from: number; readonly until: number } {
    const top = this.#wholeTop(scrolled);
    const bound = (index: number): number => Math.max(0, Math.min(this.#rows, index));
    return {
      from: bound(Math.floor(top / this.#rowHeight) - more),
      until: bound(Math.ceil((top + this.#windowHeight) / this.#rowHeight) + more),
    };
  }

  /** Where a row is inside of the element when the list was scrolled by so many pixels. */
  placeOf(index: number, scrolled: number): number {
    return index * this.#rowHeight - this.#wholeTop(scrolled) + scrolled;
  }

  /** By how much to scroll so that a row is seen whole, between what sticks to the edges; undefined where it is already. */
  scrollFor(index: number, scrolled: number): number | undefined {
    const edge = this.#rowHeight * 1.25;
    const [top, seen] = [index * this.#rowHeight, this.#wholeTop(scrolled)];
    if (top < seen + edge) {
      return this.#scrolledFor(top - edge);
    }
    const bottom = top + this.#rowHeight + edge;
    return bottom > seen + this.#windowHeight ? this.#scrolledFor(bottom - this.#windowHeight) : undefined;
  }

  #ratio(): number {
    const free = this.height - this.#windowHeight;
    return this.height === this.#whole || free <= 0 ? 1 : (this.#whole - this.#windowHeight) / free;
  }

  #wholeTop(scrolled: number): number {
    const ratio = this.#ratio();
    return ratio === 1 ? scrolled : Math.max(0, Math.min(scrolled, this.height - this.#windowHeight)) * ratio;
  }

  #scrolledFor(top: number): number {
    return top / this.#ratio();
  }
}
