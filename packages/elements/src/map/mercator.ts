/**
 * Positions on a flat world, by the Mercator projection: the world is a square from 0 to 1, north up, cut at 85 degrees
 * where it becomes one. It draws nothing.
 */
export interface Position {
  /** Degrees, north. */
  readonly lat: number;
  /** Degrees, east. */
  readonly lng: number;
}

export interface FlatPoint {
  readonly x: number;
  readonly y: number;
}

/** What is seen of the world: the point in the middle, and how many pixels the whole world is wide. */
export interface MapView {
  readonly centre: FlatPoint;
  readonly worldPixels: number;
}

export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

const latitudeMax = 85.0511;
/** A street fills the view; what is known of a position is less exact. */
const worldPixelsMax = 2 ** 26;
/** Room around points, where the buttons are; never more than half of a view. */
const marginPixels = 64;
/** The least that a view of points shows, as a share of the world: about 12 degrees. */
const shareLeast = 1 / 30;

/** Whether a position is one. */
export function isPosition({ lat, lng }: Position): boolean {
  return Number.isFinite(lat) && Number.isFinite(lng) && Math.abs(lat) <= 90 && Math.abs(lng) <= 180;
}

/** Puts a position on the flat world. */
export function flat({ lat, lng }: Position): FlatPoint {
  const radians = (Math.max(-latitudeMax, Math.min(latitudeMax, lat)) * Math.PI) / 180;
  return { x: lng / 360 + 0.5, y: 0.5 - Math.log(Math.tan(Math.PI / 4 + radians / 2)) / (2 * Math.PI) };
}

/** Where a point is in a view, in pixels from its upper left corner. */
export function pixelOf(point: FlatPoint, { centre, worldPixels }: MapView, { width, height }: PixelSize): FlatPoint {
  return { x: (point.x - centre.x) * worldPixels + width / 2, y: (point.y - centre.y) * worldPixels + height / 2 };
}

/** The view that shows all points with room around them; without points, the inhabited world. */
export function viewOf(points: readonly FlatPoint[], { width, height }: PixelSize): MapView {
  const all = points.length === 0 ? [flat({ lat: 75, lng: -170 }), flat({ lat: -56, lng: 180 })] : points;
  const [xs, ys] = [all.map(({ x }) => x), all.map(({ y }) => y)];
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  const filled = (pixels: number): number =>
    points.length === 0 ? pixels : Math.max(pixels / 2, pixels - 2 * marginPixels);
  const worldPixels = Math.min(
    filled(width) / Math.max(right - left, shareLeast),
    filled(height) / Math.max(bottom - top, shareLeast),
  );
  const view = { centre: { x: (left + right) / 2, y: (top + bottom) / 2 }, worldPixels };
  return bounded(view, { width, height });
}

/** The view that is nearer by a factor, with the same point of the world under a pixel. */
export function zoomed(view: MapView, factor: number, around: FlatPoint, size: PixelSize): MapView {
  const least = worldPixelsLeast(size);
  const worldPixels = Math.max(least, Math.min(worldPixelsMax, view.worldPixels * factor));
  const [dx, dy] = [around.x - size.width / 2, around.y - size.height / 2];
  const shift = 1 / view.worldPixels - 1 / worldPixels;
  return bounded({ centre: { x: view.centre.x + dx * shift, y: view.centre.y + dy * shift }, worldPixels }, size);
}

/** The view after the world was moved under it by so many pixels. */
export function moved(view: MapView, by: FlatPoint, size: PixelSize): MapView {
  const { centre, worldPixels } = view;
  return bounded({ centre: { x: centre.x - by.x / worldPixels, y: centre.y - by.y / worldPixels }, worldPixels }, size);
}

/** Whether a view cannot come nearer. */
export function isNearest({ worldPixels }: MapView): boolean {
  return worldPixels >= worldPixelsMax;
}

function worldPixelsLeast({ width, height }: PixelSize): number {
  return Math.max(1, Math.min(width, height * 1.4));
}

/** A view never leaves the world: its middle stays on it, and nothing beyond an edge is shown while there is more inside. */
function bounded({ centre, worldPixels }: MapView, size: PixelSize): MapView {
  const pixels = Math.min(worldPixelsMax, Math.max(worldPixelsLeast(size), worldPixels));
  const inside = (value: number, seen: number): number =>
    seen >= 1 ? 0.5 : Math.max(seen / 2, Math.min(1 - seen / 2, value));
  return {
    centre: { x: inside(centre.x, size.width / pixels), y: inside(centre.y, size.height / pixels) },
    worldPixels: pixels,
  };
}
