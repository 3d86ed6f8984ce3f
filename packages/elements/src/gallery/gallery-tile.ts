/**
 * One picture of a gallery: its placeholder at once, what it is waiting for as text, the picture when it is made. It asks
 * when it comes near the window and again until nothing more changes. Invariant: what it showed is released when it ends.
 */
import { isRowlockError, type Picture, type StorageClient } from '@rowlock/client';
import { button, element } from '../page/element.ts';
import { icon } from '../page/icon.ts';
import { pause } from '../page/pause.ts';
import { nameInText, visibleName } from '../page/visible-name.ts';
import { failureInWords } from '../page/wording.ts';
import { type GalleryItem, type GalleryState, readPicture, withPicture } from './gallery-source.ts';
import { placeholderOf } from './placeholder.ts';
import { type ShownPicture, showVariant, variantFor } from './variant-picture.ts';

/** Tiles are about so wide; twice as many pixels look sharp everywhere. */
const tilePixels = 320;
const firstPauseMs = 400;
const pauseMsMax = 5000;

const words: Readonly<Record<GalleryState, string>> = {
  queued: 'Queued',
  processing: 'Processing …',
  failed: 'No preview could be made',
  none: 'No preview for this type',
  ready: '',
};

export class GalleryTile {
  readonly element: HTMLElement;
  item: GalleryItem;
  readonly #client: StorageClient;
  readonly #frame = element('span', { class: 'frame' });
  readonly #state = element('span', { class: 'state' });
  readonly #button: HTMLButtonElement;
  readonly #ending = new AbortController();
  #shown: (ShownPicture & { readonly preset: string }) | undefined;
  #isBegun = false;
  #wake: AbortController = new AbortController();

  constructor(client: StorageClient, item: GalleryItem, open: (tile: GalleryTile) => void) {
    this.#client = client;
    this.item = item;
    this.#button = button({ class: 'tile', press: () => open(this) }, this.#frame);
    const caption = element('span', { class: 'caption' }, visibleName(item.label));
    this.element = element('li', {}, this.#button, caption, this.#state);
    this.#showPlaceholder();
    this.#showState();
  }

  /** Begins to ask for the picture; does nothing the second time. */
  begin(): void {
    if (!this.#isBegun) {
      this.#isBegun = true;
      void this.#follow();
    }
  }

  /** Looks again at once, because something was heard of the file. */
  wake(): void {
    this.#wake.abort();
  }

  focus(): void {
    this.#button.focus();
  }

  end(): void {
    this.#ending.abort();
    this.#shown?.release();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#ending;
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(pauseMs * 1.6, pauseMsMax)) {
      try {
        if (await this.#look(signal)) {
          return;
        }
      } catch (error) {
        if (signal.aborted) {
          return;
        }
        if (!isRowlockError(error, 'unavailable', 'rate_limited')) {
          this.#state.textContent = isRowlockError(error) ? failureInWords(error) : 'The preview cannot be shown';
          return;
        }
      }
      await this.#rest(pauseMs, signal);
    }
  }

  async #rest(pauseMs: number, signal: AbortSignal): Promise<void> {
    this.#wake = new AbortController();
    await pause(pauseMs, AbortSignal.any([signal, this.#wake.signal])).catch(() => undefined);
  }

  /** Whether nothing more will change. */
  async #look(signal: AbortSignal): Promise<boolean> {
    const picture = await readPicture(this.#client, this.item, signal);
    if (picture === undefined) {
      return true;
    }
    this.item = withPicture(this.item, picture);
    this.#showPlaceholder();
    const isShown = await this.#showPicture(picture, signal);
    this.#showState();
    return isShown || this.item.state === 'failed' || this.item.state === 'none';
  }

  async #showPicture(picture: Picture, signal: AbortSignal): Promise<boolean> {
    const variant = variantFor(picture, tilePixels);
    if (variant !== undefined && variant.preset === this.#shown?.preset) {
      return picture.status === 'completed'; // what is shown is not read again while the others are made
    }
    const shown = variant && (await showVariant(this.#client, this.item, variant, signal));
    if (variant === undefined || shown === undefined) {
      return false;
    }
    if (signal.aborted) {
      shown.release();
      return true;
    }
    this.#shown?.release();
    this.#shown = { ...shown, preset: variant.preset };
    const image = element('img', { src: shown.url, alt: nameInText(this.item.label) });
    await image.decode().catch(() => undefined);
    this.#frame.replaceChildren(image);
    return picture.status === 'completed';
  }

  #showPlaceholder(): void {
    if (this.#frame.querySelector('img') !== null) {
      return;
    }
    const drawn = this.item.thumbhash === undefined ? undefined : placeholderOf(this.item.thumbhash);
    const pictogram = icon(this.item.type.startsWith('image/') ? 'image' : 'file');
    this.#frame.replaceChildren(drawn ?? pictogram);
  }

  #showState(): void {
    const { state, label, error } = this.item;
    const said = state === undefined ? '' : words[state];
    this.element.dataset['state'] = state ?? 'unknown';
    this.#state.textContent = state === 'failed' && error !== undefined ? `${said}: ${nameInText(error)}` : said;
    this.#button.setAttribute('aria-label', [nameInText(label), said].filter((each) => each !== '').join(', '));
  }
}
