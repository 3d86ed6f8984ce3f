/**
 * One picture of a gallery large, over the page: the next by arrow keys, away by Escape, the focus back where it was. The
 * original is opened only when somebody asks for it.
 */
import { isRowlockError, type StorageClient } from '@rowlock/client';
import { button, element } from '../page/element.ts';
import { icon } from '../page/icon.ts';
import { nameInText, visibleName } from '../page/visible-name.ts';
import { failureInWords } from '../page/wording.ts';
import { type GalleryItem, readPicture } from './gallery-source.ts';
import { placeholderOf } from './placeholder.ts';
import { type ShownPicture, showWhole, variantFor } from './variant-picture.ts';

/** The largest variants are about so wide. */
const largePixels = 1200;
const originalSeconds = 60;

export interface LightboxOptions {
  readonly client: StorageClient;
  readonly items: readonly GalleryItem[];
  readonly at: number;
  readonly signal: AbortSignal;
  /** Called with the item that was shown last. */
  readonly onClose: (at: number) => void;
}

export class Lightbox {
  readonly #options: LightboxOptions;
  readonly #dialog: HTMLDialogElement;
  readonly #stage = element('div', { class: 'stage' });
  readonly #title = element('h2', { id: 'shown' });
  readonly #count = element('p', { class: 'hint', 'aria-live': 'polite' });
  readonly #problem = element('p', { class: 'problem', role: 'alert' });
  readonly #previous: HTMLButtonElement;
  readonly #next: HTMLButtonElement;
  #at: number;
  #loading = new AbortController();
  #shown: ShownPicture | undefined;

  /** Opens it in a shadow root. */
  constructor(root: ShadowRoot, options: LightboxOptions) {
    this.#options = options;
    this.#at = options.at;
    this.#previous = button({ class: 'step', label: 'Previous', press: () => this.#step(-1) }, icon('previous'));
    this.#next = button({ class: 'step', label: 'Next', press: () => this.#step(1) }, icon('next'));
    const close = button({ class: 'quiet', label: 'Close', press: () => this.#dialog.close() }, icon('close'));
    const original = button({ press: () => void this.#openOriginal() }, icon('link'), 'Open the original');
    const words = element('div', { class: 'shown-words' }, this.#title, this.#count);
    this.#dialog = element(
      'dialog',
      { class: 'lightbox', 'aria-labelledby': 'shown' },
      element('header', {}, words, close),
      element('div', { class: 'viewer' }, this.#previous, this.#stage, this.#next),
      this.#problem,
      element('footer', {}, original),
    );
    this.#listen();
    root.append(this.#dialog);
    this.#dialog.showModal();
    this.#show();
    close.focus();
  }

  #listen(): void {
    const dialog = this.#dialog;
    dialog.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
        event.preventDefault();
        this.#step(event.key === 'ArrowLeft' ? -1 : 1);
      }
    });
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog) {
        dialog.close();
      }
    });
    dialog.addEventListener('close', () => {
      this.#loading.abort();
      this.#shown?.release();
      dialog.remove();
      this.#options.onClose(this.#at);
    });
    this.#options.signal.addEventListener('abort', () => dialog.close(), { once: true });
  }

  #step(by: number): void {
    const at = this.#at + by;
    if (at >= 0 && at < this.#options.items.length) {
      this.#at = at;
      this.#show();
    }
  }

  #show(): void {
    const { items } = this.#options;
    const item = items[this.#at];
    if (item === undefined) {
      return;
    }
    this.#loading.abort();
    this.#loading = new AbortController();
    this.#shown?.release();
    this.#shown = undefined;
    this.#problem.textContent = '';
    this.#title.replaceChildren(visibleName(item.label));
    this.#count.textContent = `${this.#at + 1} of ${items.length}`;
    // Disabled buttons lose the focus, so the first and the last only say so.
    this.#previous.setAttribute('aria-disabled', String(this.#at === 0));
    this.#next.setAttribute('aria-disabled', String(this.#at === items.length - 1));
    const placeholder = item.thumbhash === undefined ? undefined : placeholderOf(item.thumbhash);
    this.#stage.replaceChildren(placeholder ?? icon(item.type.startsWith('image/') ? 'image' : 'file'));
    void this.#load(item, this.#loading.signal);
  }

  async #load(item: GalleryItem, signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    try {
      const picture = await readPicture(client, item, signal);
      const variant = picture && variantFor(picture, largePixels);
      const shown = picture && variant && (await showWhole(client, picture, variant, signal));
      if (shown === undefined) {
        this.#problem.textContent = picture?.error ?? 'There is no picture of it yet.';
        return;
      }
      const image = element('img', { src: shown.url, alt: nameInText(item.label) });
      await image.decode().catch(() => undefined);
      if (signal.aborted) {
        shown.release();
        return;
      }
      this.#shown = shown;
      this.#stage.replaceChildren(image);
    } catch (error) {
      this.#say(error, signal);
    }
  }

  /** The original's bytes are fetched by the browser, in a place of their own. */
  async #openOriginal(): Promise<void> {
    const { client, items, signal } = this.#options;
    const item = items[this.#at];
    if (item === undefined) {
      return;
    }
    try {
      const { url } = await client.sign(item.bucket, item.name, { expirySeconds: originalSeconds });
      element('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }).click();
    } catch (error) {
      this.#say(error, signal);
    }
  }

  #say(error: unknown, signal: AbortSignal): void {
    if (!signal.aborted) {
      this.#problem.textContent = isRowlockError(error) ? failureInWords(error) : 'The picture cannot be shown.';
    }
  }
}
