/**
 * What every element of ours is built on: a shadow root with its styles, work that ends when the element leaves the
 * page, and a base class that can be imported where there is no page. It knows no element in particular.
 */
import { baseStyle } from './base-style.ts';

/** `HTMLElement`, or an empty class on a server, where elements are imported and never made. */
const PageElement: typeof HTMLElement = globalThis.HTMLElement ?? (class {} as unknown as typeof HTMLElement);

export abstract class ElementBase extends PageElement {
  #leaving = new AbortController();
  #isDrawn = false;

  /** Fills the shadow root, once. */
  protected abstract draw(root: ShadowRoot): void;

  /** Starts what goes on while the element is on the page. */
  protected abstract enter(signal: AbortSignal): void;

  protected abstract readonly styleText: string;

  connectedCallback(): void {
    this.#takeEarlyProperties();
    this.#leaving = new AbortController();
    if (!this.#isDrawn) {
      this.#isDrawn = true;
      const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
      root.adoptedStyleSheets = [sheetOf(baseStyle), sheetOf(this.styleText)];
      this.draw(root);
    }
    this.enter(this.#leaving.signal);
  }

  /** What was set before the element was defined stands in front of the accessors that should have had it. */
  #takeEarlyProperties(): void {
    for (const name of ['client', 'queue', 'points']) {
      const early = Object.getOwnPropertyDescriptor(this, name);
      if (early !== undefined) {
        Reflect.deleteProperty(this, name);
        Reflect.set(this, name, early.value);
      }
    }
  }

  disconnectedCallback(): void {
    this.#leaving.abort();
  }

  /** Ends what goes on and starts it anew, because what it is about has changed. */
  protected restart(): void {
    if (this.isConnected && this.#isDrawn) {
      this.#leaving.abort();
      this.#leaving = new AbortController();
      this.enter(this.#leaving.signal);
    }
  }

  /** Tells the page of something; it passes the borders of shadow roots. */
  protected tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

const sheets = new Map<string, CSSStyleSheet>();

/** A sheet for a text, the same for all elements. A page's policy on styles does not forbid sheets that scripts make. */
function sheetOf(text: string): CSSStyleSheet {
  const known = sheets.get(text);
  if (known !== undefined) {
    return known;
  }
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  sheets.set(text, sheet);
  return sheet;
}
