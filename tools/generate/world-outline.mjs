/**
 * Makes packages/elements/src/map/world-outline.ts from the `world-atlas` package (Natural Earth, public domain): the
 * coasts and the borders of the world as lines in tenths of a degree. Run it after an update of that package.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const target = new URL('../../packages/elements/src/map/world-outline.ts', import.meta.url);
const perDegree = 10;

/** Decodes the arcs of a topology into points in tenths of a degree, each point once. */
function arcsOf({ arcs, transform: { scale, translate } }) {
  return arcs.map((arc) => {
    let [x, y] = [0, 0];
    const points = arc.map(([dx, dy]) => {
      x += dx;
      y += dy;
      return [x * scale[0] + translate[0], y * scale[1] + translate[1]].map((degrees) =>
        Math.round(degrees * perDegree),
      );
    });
    return points.filter(([a, b], place) => place === 0 || a !== points[place - 1][0] || b !== points[place - 1][1]);
  });
}

/** Rings and arcs are named by their arcs; a negative number is one backwards. */
function joined(arcs, numbers) {
  return numbers.flatMap((number, place) => {
    const points = number < 0 ? [...arcs[~number]].reverse() : arcs[number];
    return place === 0 ? points : points.slice(1);
  });
}

/** A line as its first point and the steps from there: `x y dx dy …`. */
function textOf(points) {
  return points
    .map(([x, y], place) => (place === 0 ? `${x} ${y}` : `${x - points[place - 1][0]} ${y - points[place - 1][1]}`))
    .join(' ')
    .replaceAll(' -', '-');
}

/** The text of the module. */
export function worldOutline() {
  const read = (name) => JSON.parse(readFileSync(new URL(import.meta.resolve(`world-atlas/${name}`)), 'utf8'));
  const [land, countries] = [read('land-110m.json'), read('countries-110m.json')];
  const landArcs = arcsOf(land);
  const polygons = land.objects.land.geometries.flatMap(({ type, arcs }) => (type === 'Polygon' ? [arcs] : arcs));
  const coasts = polygons.flatMap((rings) => rings.map((ring) => joined(landArcs, ring)));
  const uses = new Map();
  for (const { type, arcs } of countries.objects.countries.geometries) {
    const used = new Set((type === 'Polygon' ? arcs : arcs.flat()).flat().map((n) => (n < 0 ? ~n : n)));
    for (const number of used) uses.set(number, (uses.get(number) ?? 0) + 1);
  }
  const borders = arcsOf(countries).filter((points, number) => uses.get(number) > 1 && points.length > 1);
  const lines = (all) =>
    all
      .filter((points) => points.length > 1)
      .map(textOf)
      .join(';');
  return `/**
 * The coasts and borders of the world, made by tools/generate/world-outline.mjs from Natural Earth (public domain). Lines are apart
 * by semicolons; a line is its first point and steps from there, longitude and latitude in tenths of a degree.
 */
export const coasts: string = '${lines(coasts)}';

export const borders: string = '${lines(borders)}';
`;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(target, worldOutline());
}
