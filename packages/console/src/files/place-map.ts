/** Where a photo was taken, on a small map of our own that asks nobody for its tiles. Its outline comes when it is needed. */
import { defineElements, RowlockMap } from '@rowlock/elements';
import { element } from '../element.ts';

/** Makes the map with one place on it. */
export function placeOnMap(at: {
  readonly latitude: number;
  readonly longitude: number;
  readonly label: string;
}): HTMLElement {
  defineElements();
  const map = new RowlockMap();
  map.setAttribute('label', 'Where it was taken');
  map.points = [{ lat: at.latitude, lng: at.longitude, label: at.label }];
  return element('div', { class: 'object-map' }, map);
}
