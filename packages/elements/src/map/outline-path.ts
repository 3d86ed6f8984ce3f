/** Turns lines of the world's outline into the data of an SVG path on the flat world, a thousand units wide. */
import { flat } from './mercator.ts';

/** How wide the world is in the path's units. */
export const worldUnits = 1000;

const perDegree = 10;
const halfTurn = 180 * perDegree;
const poleDegrees = 85;

/** The path of lines as `world-outline.ts` spells them; closed lines are areas. */
export function pathOf(lines: string, closed: boolean): string {
  return lines
    .split(';')
    .map((line) => linePath(line, closed))
    .join('');
}

function linePath(line: string, closed: boolean): string {
  const points = pointsOf(line);
  const xs = points.map(([x]) => x);
  // A line that leaves the world at one edge comes in again at the other.
  const again = [...(Math.max(...xs) > worldUnits ? [-worldUnits] : []), ...(Math.min(...xs) < 0 ? [worldUnits] : [])];
  return [0, ...again]
    .map((shift) => points.map(([x, y]) => `${(x + shift).toFixed(2)} ${y.toFixed(2)}`).join('L'))
    .map((drawn) => `M${drawn}${closed ? 'Z' : ''}`)
    .join('');
}

/** The points of a line in units; a step across the 180th meridian goes on beyond the edge. At a pole there is no edge. */
function pointsOf(line: string): readonly (readonly [x: number, y: number])[] {
  const numbers = (line.match(/-?\d+/g) ?? []).map(Number);
  const points: (readonly [x: number, y: number])[] = [];
  let [lng, lat, turns] = [0, 0, 0];
  for (let place = 0; place + 1 < numbers.length; place += 2) {
    const [east, north] = [numbers[place] ?? 0, numbers[place + 1] ?? 0];
    const isAcross = place > 0 && Math.abs(east) > halfTurn && Math.abs(lat / perDegree) < poleDegrees;
    turns -= isAcross ? Math.sign(east) : 0;
    lng += east;
    lat += north;
    const { x, y } = flat({ lat: lat / perDegree, lng: lng / perDegree });
    points.push([(x + turns) * worldUnits, y * worldUnits]);
  }
  return points;
}
