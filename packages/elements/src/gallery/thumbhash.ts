/**
 * Decodes thumbhash placeholders (about 25 bytes, https://evanw.github.io/thumbhash/) into a picture of at most 32 pixels:
 * a few waves of lightness, colour and opacity. Invariant: bytes that are none decode to nothing, never to an error.
 */
export interface Placeholder {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and opacity of each pixel. */
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
}

interface Channel {
  readonly mean: number;
  readonly columns: number;
  readonly rows: number;
  readonly waves: readonly number[];
}

interface Head {
  readonly bytes: Uint8Array;
  readonly hasAlpha: boolean;
  /** Width by height, roughly. */
  readonly ratio: number;
  readonly columns: number;
  readonly rows: number;
}

const sideMax = 32;
const headBytes = 5;

/** Reads a placeholder in base64; undefined for what is none. */
export function decodeThumbhash(text: string): Placeholder | undefined {
  const bytes = bytesOf(text);
  const head = bytes === undefined ? undefined : headOf(bytes);
  const channels = head === undefined ? undefined : channelsOf(head);
  if (head === undefined || channels === undefined) {
    return undefined;
  }
  const { ratio } = head;
  const width = Math.max(1, Math.round(ratio > 1 ? sideMax : sideMax * ratio));
  const height = Math.max(1, Math.round(ratio > 1 ? sideMax / ratio : sideMax));
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    const [x, y] = [((pixel % width) + 0.5) / width, (Math.floor(pixel / width) + 0.5) / height];
    const [lightness = 0, yellow = 0, red = 0, opacity = 1] = channels.map((channel) => valueAt(channel, x, y));
    const b = lightness - (2 / 3) * yellow;
    const r = (3 * lightness - b + red) / 2;
    rgba.set(
      [r, r - red, b, opacity].map((value) => Math.max(0, 255 * Math.min(1, value))),
      pixel * 4,
    );
  }
  return { width, height, rgba };
}

function bytesOf(text: string): Uint8Array | undefined {
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return bytes.length > headBytes ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** How many waves there are: seven along the longer side, five where there is opacity, and at least three. */
function headOf(bytes: Uint8Array): Head {
  const hasAlpha = bits(bytes, 23, 1) === 1;
  const isLandscape = bits(bytes, 39, 1) === 1;
  const [longer, shorter] = [hasAlpha ? 5 : 7, bits(bytes, 24, 3)];
  const [columns, rows] = isLandscape ? [longer, shorter] : [shorter, longer];
  const ratio = columns / Math.max(1, rows);
  return { bytes, hasAlpha, ratio, columns: Math.max(3, columns), rows: Math.max(3, rows) };
}

function channelsOf({ bytes, hasAlpha, columns, rows }: Head): readonly Channel[] | undefined {
  let from = (hasAlpha ? headBytes + 1 : headBytes) * 2;
  const channel = (mean: number, scale: number, size: readonly [number, number]): Channel => {
    const count = waveCount(...size);
    const waves = Array.from({ length: count }, (_, place) => (bits(bytes, (from + place) * 4, 4) / 7.5 - 1) * scale);
    from += count;
    return { mean, columns: size[0], rows: size[1], waves };
  };
  // Colours are boosted a little, against what the quantisation has taken.
  const boost = 1.25;
  const channels = [
    channel(bits(bytes, 0, 6) / 63, bits(bytes, 18, 5) / 31, [columns, rows]),
    channel(bits(bytes, 6, 6) / 31.5 - 1, (bits(bytes, 27, 6) / 63) * boost, [3, 3]),
    channel(bits(bytes, 12, 6) / 31.5 - 1, (bits(bytes, 33, 6) / 63) * boost, [3, 3]),
    ...(hasAlpha ? [channel(bits(bytes, 40, 4) / 15, bits(bytes, 44, 4) / 15, [5, 5])] : []),
  ];
  return from > bytes.length * 2 ? undefined : channels;
}

/** The waves of a triangle of frequencies, without the one that is the mean. */
function waveCount(columns: number, rows: number): number {
  let count = -1;
  for (let row = 0; row < rows; row += 1) {
    count += Math.ceil((columns * (rows - row)) / rows);
  }
  return count;
}

function valueAt({ mean, columns, rows, waves }: Channel, x: number, y: number): number {
  let [value, place] = [mean, 0];
  for (let row = 0; row < rows; row += 1) {
    for (let column = row === 0 ? 1 : 0; column * rows < columns * (rows - row); column += 1) {
      value += 2 * (waves[place] ?? 0) * Math.cos(Math.PI * column * x) * Math.cos(Math.PI * row * y);
      place += 1;
    }
  }
  return value;
}

/** Bits of the bytes as one little-endian number. */
function bits(bytes: Uint8Array, from: number, count: number): number {
  let value = 0;
  for (let bit = count - 1; bit >= 0; bit -= 1) {
    const at = from + bit;
    value = value * 2 + (((bytes[at >> 3] ?? 0) >> (at & 7)) & 1);
  }
  return value;
}
