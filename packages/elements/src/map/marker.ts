/**
 * One place of a map, as a marker and as a line of its list. Invariant: an address becomes a link only where it leads to
 * a web page; a label is text.
 */
import { button, type Child, element } from '../page/element.ts';
import { nameInText } from '../page/visible-name.ts';
import { positionInWords } from '../page/wording.ts';
import type { Position } from './mercator.ts';

export interface MapPoint extends Position {
  readonly label?: string | undefined;
  /** A page about it. */
  readonly href?: string | undefined;
}

const linked: ReadonlySet<string> = new Set(['http:', 'https:']);

/** The address of a web page; undefined for scripts, data and what is no address. */
export function safeAddress(href: string | undefined, base: string): string | undefined {
  if (href === undefined || !URL.canParse(href, base)) {
    return undefined;
  }
  return linked.has(new URL(href, base).protocol) ? href : undefined;
}

/** A marker: a link where the place has a page, else a button. With words it is one of a list. */
export function markerFor(point: MapPoint, press: (event: Event) => void, words?: string): HTMLElement {
  const label = nameInText(point.label ?? positionInWords(point.lat, point.lng));
  const inside: readonly Child[] =
    words === undefined
      ? [element('span', { class: 'dot' }), element('span', { class: 'label', 'aria-hidden': 'true' }, label)]
      : [nameInText(words)];
  const style = words === undefined ? 'marker' : 'quiet';
  const href = safeAddress(point.href, document.baseURI);
  const named = words === undefined ? { 'aria-label': label } : {};
  if (href !== undefined) {
    const link = element('a', { ...named, class: style, href }, ...inside);
    link.addEventListener('click', press);
    return link;
  }
  const made = button({ class: style, press: () => undefined }, ...inside);
  for (const [name, value] of Object.entries(named)) {
    made.setAttribute(name, value);
  }
  made.addEventListener('click', press);
  return made;
}

/** The places as a list that can be opened; undefined where there are none. */
export function placeList(
  points: readonly MapPoint[],
  press: (point: MapPoint, event: Event) => void,
): HTMLElement | undefined {
  if (points.length === 0) {
    return undefined;
  }
  const lines = points.map((point) => {
    const href = safeAddress(point.href, document.baseURI);
    const where = positionInWords(point.lat, point.lng);
    const label = nameInText(point.label ?? where);
    const name = href === undefined ? element('span', {}, label) : element('a', { href }, label);
    name.addEventListener('click', (event) => press(point, event));
    return element('li', {}, name, element('span', { class: 'hint' }, point.label === undefined ? '' : where));
  });
  const words = points.length === 1 ? 'One place' : `${points.length} places`;
  return element(
    'details',
    {},
    element('summary', {}, `${words} as a list`),
    element('ul', { class: 'places' }, ...lines),
  );
}
