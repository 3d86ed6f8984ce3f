/**
 * Pictures of files in a list: a place for each at once, the picture when the service has made it. Only variants that
 * the service rendered are shown, never the bytes that somebody uploaded. Invariant: what left the view is released.
 */
import { pause } from '@rowlock/elements/page';
import { element } from '../element.ts';
import { type IconName, icon } from '../icon.ts';
import { attempt, type ViewContext } from '../view.ts';
import { readVariant } from './object-calls.ts';

/** Types that the service makes variants of. */
const rendered = /^(image\/(jpeg|png|webp|gif|tiff|avif|heic|heif|svg\+xml)|application\/pdf)$/;

/** How long after an upload a picture that is not there may still be in the making. */
const makingMs = 120_000;

const firstPauseMs = 300;
const pauseMsMax = 5000;

export interface Pictured {
  readonly bucket: string;
  readonly name: string;
  readonly type: string | undefined;
  readonly updated_at: string | null;
}

/** Makes the places of one view; each asks for its picture once it comes near the window. */
export class Thumbnails {
  readonly #context: ViewContext;
  readonly #waiting = new WeakMap<Element, Pictured>();
  readonly #observer: IntersectionObserver;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#observer = new IntersectionObserver((seen) => this.#load(seen), { rootMargin: '300px' });
    context.signal.addEventListener('abort', () => this.#observer.disconnect());
  }

  /** A place for the picture, with a pictogram of the type until then. */
  placeFor(file: Pictured): HTMLElement {
    const place = element('span', { class: 'thumbnail' }, icon(pictogramOf(file.type)));
    if (isRendered(file.type)) {
      this.#waiting.set(place, file);
      this.#observer.observe(place);
    }
    return place;
  }

  #load(seen: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of seen) {
      const file = this.#waiting.get(target);
      if (isIntersecting && file !== undefined) {
        this.#observer.unobserve(target);
        this.#waiting.delete(target);
        void showPicture(this.#context, target, file, 'small');
      }
    }
  }
}

/** Whether the service makes pictures of a type. */
function isRendered(type: string | undefined): boolean {
  return rendered.test(type ?? '');
}

/** Puts a file's picture in place of what is there, as soon as it is made; leaves it where there is none. */
export async function showPicture(
  context: ViewContext,
  place: Element,
  file: Pictured,
  preset: 'small' | 'large',
): Promise<void> {
  place.classList.add('pending');
  const leaveIt = (): void => undefined;
  await attempt(
    context,
    async () => {
      const blob = await readWhenMade(context, file, preset);
      if (blob !== undefined) {
        const url = URL.createObjectURL(blob);
        const image = element('img', { src: url, alt: '' });
        // Once it is read the image has its own copy, which goes with it.
        image.addEventListener('load', () => URL.revokeObjectURL(url), { once: true });
        image.addEventListener('error', () => URL.revokeObjectURL(url), { once: true });
        place.replaceChildren(image);
      }
    },
    leaveIt,
  );
  place.classList.remove('pending');
}

/** Asks until the picture is there; once only where the file is too old for it to be in the making. */
async function readWhenMade(
  { client, signal }: ViewContext,
  { bucket, name, updated_at }: Pictured,
  preset: 'small' | 'large',
): Promise<Blob | undefined> {
  const until = updated_at === null ? 0 : Date.parse(updated_at) + makingMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.6, pauseMsMax)) {
    const blob = await readVariant(client, bucket, name, preset);
    if (blob !== undefined || Date.now() > until) {
      return blob;
    }
    await pause(pauseMs, signal);
  }
}

function pictogramOf(type: string | undefined): IconName {
  return type?.startsWith('image/') ? 'image' : 'file';
}
