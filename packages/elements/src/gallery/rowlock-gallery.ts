/**
 * `<rowlock-gallery>`: the pictures of a row or of a folder, as they are being made and when they are there. It follows
 * what changes, and asks now and then where nothing can be followed. Invariant: a tile that stays is never made again.
 */
import { type Change, isRowlockError, RowlockError, type StorageClient } from '@rowlock/client';
import { ElementBase } from '../element-base.ts';
import { button, element } from '../page/element.ts';
import { icon } from '../page/icon.ts';
import { pause } from '../page/pause.ts';
import { failureInWords } from '../page/wording.ts';
import { type GalleryItem, type GalleryPlace, readItems } from './gallery-source.ts';
import { galleryStyle } from './gallery-style.ts';
import { GalleryTile } from './gallery-tile.ts';
import { Lightbox } from './lightbox.ts';

const pageSize = 60;
/** Changes come in heaps; the list is read once for those of so long a time. */
const gatherMs = 300;
const pollMs = 15_000;

export class RowlockGallery extends ElementBase {
  static readonly observedAttributes: readonly string[] = ['bucket', 'prefix', 'entity-type', 'entity-id', 'label'];
  protected readonly styleText: string = galleryStyle;
  readonly #tiles = new Map<string, GalleryTile>();
  #client: StorageClient | undefined;
  #list: HTMLElement | undefined;
  #beside: HTMLElement | undefined;
  #countMax = pageSize;
  #observer: IntersectionObserver | undefined;
  #signal: AbortSignal | undefined;

  get client(): StorageClient | undefined {
    return this.#client;
  }

  set client(client: StorageClient | undefined) {
    if (client !== this.#client) {
      this.#client = client;
      this.#drop([...this.#tiles.keys()]);
      this.restart();
    }
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (name !== 'label' && now !== before) {
      this.#drop([...this.#tiles.keys()]);
    }
    this.restart();
  }

  /** Reads the list again now. */
  refresh(): void {
    this.restart();
  }

  protected override draw(root: ShadowRoot): void {
    this.#list = element('ul', { class: 'tiles' });
    this.#beside = element('div', {});
    root.append(this.#list, this.#beside);
  }

  protected override enter(signal: AbortSignal): void {
    this.#signal = signal;
    const [client, place] = [this.#client, this.#place()];
    this.#list?.setAttribute('aria-label', this.getAttribute('label') ?? 'Pictures');
    this.#observer = new IntersectionObserver((seen) => this.#begin(seen), { rootMargin: '300px' });
    signal.addEventListener('abort', () => this.#observer?.disconnect());
    for (const tile of this.#tiles.values()) {
      this.#observer.observe(tile.element);
    }
    if (client !== undefined && place !== undefined) {
      void this.#follow(client, place, signal);
    }
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#drop([...this.#tiles.keys()]);
  }

  #place(): GalleryPlace | undefined {
    const [entityType, entityId] = [this.getAttribute('entity-type'), this.getAttribute('entity-id')];
    const [bucket, prefix] = [this.getAttribute('bucket'), this.getAttribute('prefix') ?? ''];
    if (entityType !== null && entityId !== null) {
      return { entityType, entityId };
    }
    return bucket === null ? undefined : { bucket, prefix };
  }

  /** Reads, then reads again after each heap of changes, or now and then where there is no feed. */
  async #follow(client: StorageClient, place: GalleryPlace, signal: AbortSignal): Promise<void> {
    const bell = new Bell();
    void this.#listen(client, place, { signal, bell });
    while (!signal.aborted) {
      await this.#read(client, place, signal);
      await bell.rung(signal);
      await pause(gatherMs, signal).catch(() => undefined);
    }
  }

  async #listen(
    client: StorageClient,
    place: GalleryPlace,
    { signal, bell }: { readonly signal: AbortSignal; readonly bell: Bell },
  ): Promise<void> {
    const among = 'bucket' in place ? { bucket: place.bucket, prefix: place.prefix } : {};
    while (!signal.aborted && !client.isPostgrest) {
      try {
        for await (const change of client.follow({ ...among, signal })) {
          this.#hear(change, bell);
        }
      } catch (error) {
        if (!isRowlockError(error, 'cursor_expired')) {
          break;
        }
        bell.ring(); // changes were missed, and there are new ones to follow
      }
    }
    while (!signal.aborted) {
      await pause(pollMs, signal).catch(() => undefined);
      if (document.visibilityState === 'visible') {
        bell.ring();
      }
    }
  }

  #hear(change: Change, bell: Bell): void {
    const tiles = [...this.#tiles.values()];
    tiles.find(({ item }) => item.objectId === change.object_id)?.wake();
    // Files of rows are in one bucket, which is known once there is one.
    if (tiles.length === 0 || tiles.some(({ item }) => item.bucket === change.bucket)) {
      bell.ring();
    }
  }

  async #read(client: StorageClient, place: GalleryPlace, signal: AbortSignal): Promise<void> {
    try {
      const { items, more } = await readItems(client, place, { countMax: this.#countMax, signal });
      if (!signal.aborted) {
        this.#show(client, items);
        this.#showBeside(items.length, more);
      }
    } catch (error) {
      if (!signal.aborted) {
        const known = isRowlockError(error) ? error : new RowlockError('internal', 'The pictures cannot be shown');
        this.#showFailure(known);
      }
    }
  }

  #show(client: StorageClient, items: readonly GalleryItem[]): void {
    const wanted = new Set(items.map(({ key }) => key));
    this.#drop([...this.#tiles.keys()].filter((key) => !wanted.has(key)));
    for (const item of items) {
      if (!this.#tiles.has(item.key)) {
        const tile = new GalleryTile(client, item, (opened) => this.#open(client, opened));
        this.#tiles.set(item.key, tile);
        this.#observer?.observe(tile.element);
      }
    }
    const wantedElements = items.flatMap(({ key }) => this.#tiles.get(key)?.element ?? []);
    for (const [place, tile] of wantedElements.entries()) {
      if (this.#list?.children[place] !== tile) {
        this.#list?.insertBefore(tile, this.#list.children[place] ?? null);
      }
    }
  }

  #drop(keys: readonly string[]): void {
    for (const key of keys) {
      const tile = this.#tiles.get(key);
      tile?.end();
      tile?.element.remove();
      this.#tiles.delete(key);
    }
  }

  #begin(seen: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of seen) {
      if (isIntersecting) {
        this.#observer?.unobserve(target);
        [...this.#tiles.values()].find((tile) => tile.element === target)?.begin();
      }
    }
  }

  #showBeside(count: number, more: boolean): void {
    const empty = element('div', { class: 'empty' }, icon('image'), element('p', {}, 'No pictures yet'));
    const show = (): void => {
      this.#countMax += pageSize;
      this.restart();
    };
    const parts = count === 0 ? [empty] : more ? [button({ class: 'more', press: show }, 'Show more')] : [];
    this.#beside?.replaceChildren(...parts);
  }

  #showFailure(error: RowlockError): void {
    const again = button({ press: () => this.restart() }, icon('retry'), 'Try again');
    const text = element('p', { class: 'problem' }, failureInWords(error));
    this.#beside?.replaceChildren(element('div', { class: 'empty', role: 'alert' }, icon('warning'), text, again));
  }

  #open(client: StorageClient, tile: GalleryTile): void {
    const tiles = [...(this.#list?.children ?? [])].flatMap(
      (line) => [...this.#tiles.values()].find((each) => each.element === line) ?? [],
    );
    if (this.shadowRoot !== null && this.#signal !== undefined) {
      new Lightbox(this.shadowRoot, {
        client,
        items: tiles.map(({ item }) => item),
        at: tiles.indexOf(tile),
        signal: this.#signal,
        onClose: (at) => tiles[at]?.focus(),
      });
    }
  }
}

/** Something that is rung by some and waited for by one. */
class Bell {
  #isRung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  async rung(signal: AbortSignal): Promise<void> {
    if (!this.#isRung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    this.#isRung = false;
  }
}
