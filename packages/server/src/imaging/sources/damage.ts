/**
 * Estimates how much of a leniently decoded picture is missing. Decoders fill what they could not read with
 * one flat colour, so it looks for flat lines along an edge; it cannot tell a gap from a painted area and is
 * asked only about files that are known to be damaged. Invariant: it reads each pixel at most four times.
 */

interface RawPixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number | undefined;
}

/** Scaling leaves a flat area this flat. */
const tolerance = 2;

/**
 * Returns the largest share of the picture, 0 to 1, that lies in flat lines along one edge.
 *
 * All four edges count, since the end of the file is at the bottom of the sensor's picture and orientation may
 * have turned that anywhere.
 */
export function missingShare({ data, width, height, channels = 3 }: RawPixels): number {
  const row = { step: channels, length: width };
  const column = { step: width * channels, length: height };
  const isFlat = (line: number, along: typeof row, across: typeof row): boolean => {
    return isFlatLine(data, line * across.step, along, channels);
  };
  const run = (lines: number, isFlatAt: (line: number) => boolean, isFromEnd: boolean): number => {
    let flat = 0;
    while (flat < lines && isFlatAt(isFromEnd ? lines - 1 - flat : flat)) flat += 1;
    return flat / lines;
  };
  const isFlatRow = (y: number): boolean => isFlat(y, row, column);
  const isFlatColumn = (x: number): boolean => isFlat(x, column, row);
  return Math.max(
    run(height, isFlatRow, true),
    run(height, isFlatRow, false),
    run(width, isFlatColumn, true),
    run(width, isFlatColumn, false),
  );
}

function isFlatLine(
  data: Uint8Array,
  start: number,
  along: { step: number; length: number },
  channels: number,
): boolean {
  for (let i = 1, at = start + along.step; i < along.length; i++, at += along.step) {
    for (let channel = 0; channel < channels; channel++) {
      if (Math.abs((data[at + channel] ?? 0) - (data[start + channel] ?? 0)) > tolerance) return false;
    }
  }
  return true;
}
