/** A line over time, drawn by us: the newest at the right edge, from zero to its highest value. It knows no unit. */

const svg = 'http://www.w3.org/2000/svg';
const width = 150;
const height = 32;

/** The parts of a line through values, as points; a value that is not there interrupts it. */
export function linesThrough(values: readonly (number | undefined)[], places: number): readonly string[] {
  const highest = Math.max(1e-9, ...values.map((value) => value ?? 0));
  const step = width / (places - 1);
  const first = width - (values.length - 1) * step;
  const lines: string[][] = [[]];
  for (const [place, value] of values.entries()) {
    if (value === undefined) {
      lines.push([]);
    } else {
      const x = first + place * step;
      const y = height - 1 - (value / highest) * (height - 2);
      lines.at(-1)?.push(`${x.toFixed(1)},${y.toFixed(1)}`);
    }
  }
  return lines.filter((points) => points.length > 0).map((points) => points.join(' '));
}

export interface LineChart {
  readonly element: SVGSVGElement;
  /** Draws values anew, the oldest first, with a sentence for whoever does not see them. */
  draw(values: readonly (number | undefined)[], sentence: string): void;
}

/** Makes a chart with room for so many values at least. */
export function lineChart(placesMin: number): LineChart {
  const element = document.createElementNS(svg, 'svg');
  element.setAttribute('viewBox', `0 0 ${width} ${height}`);
  element.setAttribute('preserveAspectRatio', 'none');
  element.setAttribute('class', 'line-chart');
  element.setAttribute('role', 'img');
  return {
    element,
    draw(values, sentence) {
      element.setAttribute('aria-label', sentence);
      const lines = linesThrough(values, Math.max(placesMin, values.length)).map((points) => {
        const line = document.createElementNS(svg, 'polyline');
        line.setAttribute('points', points.includes(' ') ? points : `${points} ${points}`);
        line.setAttribute('vector-effect', 'non-scaling-stroke');
        return line;
      });
      element.replaceChildren(...lines);
    },
  };
}
