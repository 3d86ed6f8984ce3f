/**
 * `<rowlock-map>`: places on a map of the world that needs no other server. It is moved and zoomed by keys and pointers;
 * the same places stand below as a list. Labels are text, and only links to web pages are links.
 */
import { ElementBase } from '../element-base.ts';
import { button, element, svgElement } from '../page/element.ts';
import { icon } from '../page/icon.ts';
import { positionInWords } from '../page/wording.ts';
import { type Cluster, clustersOf } from './clusters.ts';
import { mapGestures } from './map-gestures.ts';
import { mapStyle } from './map-style.ts';
import { type MapPoint, markerFor, placeList } from './marker.ts';
import {
  type FlatPoint,
  flat,
  isNearest,
  isPosition,
  type MapView,
  moved,
  type PixelSize,
  pixelOf,
  viewOf,
  zoomed,
} from './mercator.ts';
import { pathOf, worldUnits } from './outline-path.ts';

const zoomStep = 2;
/** Markers nearer than this are one. */
const clusterPixels = 40;

export class RowlockMap extends ElementBase {
  static readonly observedAttributes: readonly string[] = ['label'];
  protected readonly styleText: string = mapStyle;
  #points: readonly MapPoint[] = [];
  #flat: readonly FlatPoint[] = [];
  #view: MapView | undefined;
  #map: HTMLElement | undefined;
  #world: SVGGElement | undefined;
  #markers: HTMLElement | undefined;

  /** The places to show; those that are none are left out. */
  get points(): readonly MapPoint[] {
    return this.#points;
  }

  set points(points: readonly MapPoint[]) {
    this.#points = points.filter(isPosition);
    this.#flat = this.#points.map(flat);
    this.#view = undefined;
    this.restart();
  }

  attributeChangedCallback(): void {
    this.restart();
  }

  protected override draw(root: ShadowRoot): void {
    this.#world = svgElement('g');
    this.#markers = element('div', { class: 'markers' });
    const svg = svgElement('svg', { class: 'world', 'aria-hidden': 'true' }, this.#world);
    const control = (label: string, pictogram: 'plus' | 'minus' | 'globe', press: () => void): HTMLButtonElement =>
      button({ label, press }, icon(pictogram));
    const controls = element(
      'div',
      { class: 'controls' },
      control('Zoom in', 'plus', () => this.#zoom(zoomStep)),
      control('Zoom out', 'minus', () => this.#zoom(1 / zoomStep)),
      control('Show all places', 'globe', () => this.#showAll()),
    );
    this.#map = element('div', { class: 'map', role: 'group', tabindex: '0' }, svg, this.#markers, controls);
    root.append(this.#map);
    void this.#drawWorld();
  }

  protected override enter(signal: AbortSignal): void {
    const map = this.#map;
    if (map === undefined || this.shadowRoot === null) {
      return;
    }
    const label = this.getAttribute('label') ?? 'Map';
    map.setAttribute('aria-label', `${label}. Move with the arrow keys, zoom with plus and minus.`);
    const empty = this.#points.length === 0 && element('p', { class: 'hint nothing' }, 'No places yet');
    const list = placeList(this.#points, (point, event) => this.#choose(point, event));
    this.shadowRoot.replaceChildren(map, ...(list === undefined ? [] : [list]));
    map.querySelector('.nothing')?.remove();
    map.append(...(empty === false ? [] : [empty]));
    mapGestures(map, signal, {
      moveBy: (by) => this.#look(moved(this.#current(), by, this.#size())),
      zoomBy: (factor, around) => this.#zoom(factor, around),
      showAll: () => this.#showAll(),
    });
    const observer = new ResizeObserver(() => this.#show(this.#current()));
    observer.observe(map);
    signal.addEventListener('abort', () => observer.disconnect());
  }

  /** The outline is loaded when there is a map to draw it on. */
  async #drawWorld(): Promise<void> {
    const { coasts, borders } = await import('./world-outline.ts');
    this.#world?.append(
      svgElement('path', { class: 'land', d: pathOf(coasts, true) }),
      svgElement('path', { class: 'borders', d: pathOf(borders, false) }),
    );
  }

  #size(): PixelSize {
    return { width: this.#map?.clientWidth || 1, height: this.#map?.clientHeight || 1 };
  }

  #current(): MapView {
    return this.#view ?? viewOf(this.#flat, this.#size());
  }

  #zoom(factor: number, around?: FlatPoint): void {
    const size = this.#size();
    this.#look(zoomed(this.#current(), factor, around ?? middleOf(size), size));
  }

  /** All places again, and after a change of the map's size too. */
  #showAll(): void {
    this.#view = undefined;
    this.#show(this.#current());
  }

  /** A view that somebody chose. */
  #look(view: MapView): void {
    this.#view = view;
    this.#show(view);
  }

  #show(view: MapView): void {
    const size = this.#size();
    const corner = pixelOf({ x: 0, y: 0 }, view, size);
    const scale = view.worldPixels / worldUnits;
    this.#world?.setAttribute('transform', `translate(${corner.x} ${corner.y}) scale(${scale})`);
    const pixels = this.#flat.map((point) => pixelOf(point, view, size));
    const seen = clustersOf(pixels, clusterPixels).filter(
      ({ x, y }) =>
        x > -clusterPixels && y > -clusterPixels && x < size.width + clusterPixels && y < size.height + clusterPixels,
    );
    this.#placeMarkers(seen);
  }

  /** Markers are kept by their members, so that the focus stays while the map moves. */
  #placeMarkers(clusters: readonly Cluster[]): void {
    const markers = this.#markers;
    if (markers === undefined) {
      return;
    }
    const before = new Map([...markers.children].map((each) => [(each as HTMLElement).dataset['members'], each]));
    const wanted = clusters.map((cluster) => {
      const key = cluster.members.join(' ');
      const marker = (before.get(key) ?? this.#markerOf(cluster)) as HTMLElement;
      marker.dataset['members'] = key;
      marker.style.transform = `translate(calc(${cluster.x}px - 50%), calc(${cluster.y}px - 50%))`;
      before.delete(key);
      return marker;
    });
    const hadFocus = [...before.values()].some((gone) => gone === this.shadowRoot?.activeElement);
    for (const gone of before.values()) {
      gone.remove();
    }
    markers.append(...wanted.filter((marker) => marker.parentElement === null));
    if (hadFocus) {
      this.#map?.focus();
    }
  }

  #markerOf({ members }: Cluster): HTMLElement {
    const points = members.flatMap((place) => this.#points[place] ?? []);
    const [first] = points;
    if (points.length === 1 && first !== undefined) {
      return markerFor(first, (event) => this.#choose(first, event));
    }
    const label = `${points.length} places, zoom in`;
    const count = element('span', { class: 'count' }, String(points.length));
    return button({ class: 'marker', label, press: () => this.#openCluster(members) }, count);
  }

  /** Zooms to the places of a marker, or lists them where they stay together. */
  #openCluster(members: readonly number[]): void {
    const points = members.flatMap((place) => this.#flat[place] ?? []);
    const nearer = viewOf(points, this.#size());
    const current = this.#current();
    const apart = Math.max(spanOf(points.map(({ x }) => x)), spanOf(points.map(({ y }) => y)));
    if (apart > 0 && !isNearest(current)) {
      const wanted = Math.max(nearer.worldPixels, current.worldPixels * zoomStep, (2 * clusterPixels) / apart);
      const there = { ...current, centre: nearer.centre };
      this.#look(zoomed(there, wanted / current.worldPixels, middleOf(this.#size()), this.#size()));
      return;
    }
    this.#list(members.flatMap((place) => this.#points[place] ?? []));
  }

  #list(points: readonly MapPoint[]): void {
    const list = element('ul', { class: 'places' });
    for (const point of points) {
      const text = point.label ?? positionInWords(point.lat, point.lng);
      list.append(
        element(
          'li',
          {},
          markerFor(point, (event) => this.#choose(point, event), text),
        ),
      );
    }
    const leave = (): void => {
      chosen.remove();
      this.#map?.focus();
    };
    const close = button({ class: 'quiet', label: 'Close', press: leave }, icon('close'));
    const chosen = element('div', { class: 'chosen' }, close, list);
    chosen.addEventListener('keydown', (event) => event.key === 'Escape' && leave());
    this.#map?.querySelector('.chosen')?.remove();
    this.#map?.append(chosen);
    chosen.querySelector('button')?.focus();
  }

  /** Tells the page, which may keep a link from being followed. */
  #choose(point: MapPoint, event: Event): void {
    const told = new CustomEvent('rowlock-place', {
      detail: { point },
      bubbles: true,
      composed: true,
      cancelable: true,
    });
    if (!this.dispatchEvent(told)) {
      event.preventDefault();
    }
  }
}

function spanOf(values: readonly number[]): number {
  return Math.max(...values) - Math.min(...values);
}

function middleOf({ width, height }: PixelSize): FlatPoint {
  return { x: width / 2, y: height / 2 };
}
