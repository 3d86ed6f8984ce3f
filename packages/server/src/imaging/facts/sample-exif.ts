/**
 * EXIF blocks for tests, made from code: what a camera would write, and what none would. It is not part of the service.
 * Invariant: the same call makes the same bytes.
 */

/** A value as it is written: text, whole numbers, or rationals as pairs. */
export type SampleValue = string | readonly number[] | readonly (readonly [above: number, below: number])[];

export interface SampleBlock {
  readonly image?: Readonly<Record<number, SampleValue>>;
  readonly photo?: Readonly<Record<number, SampleValue>>;
  readonly gps?: Readonly<Record<number, SampleValue>>;
}

const headerLength = 8;

/** A TIFF structure with these tags, little-endian. */
export function exifOf({ image = {}, photo, gps }: SampleBlock): Buffer {
  const first: Record<number, SampleValue> = { ...image };
  if (photo) first[0x8769] = [0];
  if (gps) first[0x8825] = [0];
  const photoAt = headerLength + directory(first, headerLength).length;
  const photoBytes = photo ? directory(photo, photoAt) : Buffer.alloc(0);
  const gpsAt = photoAt + photoBytes.length;
  if (photo) first[0x8769] = [photoAt];
  if (gps) first[0x8825] = [gpsAt];
  const header = Buffer.from('II*\0\x08\0\0\0', 'latin1');
  return Buffer.concat([
    header,
    directory(first, headerLength),
    photoBytes,
    gps ? directory(gps, gpsAt) : Buffer.alloc(0),
  ]);
}

/** What a photograph of a place says. */
export const trafalgarSquare: SampleBlock = {
  image: { 271: 'Acme', 272: 'Acme One', 274: [6], 315: 'A. Photographer', 33432: 'Acme Press' },
  photo: { 36867: '2024:05:17 10:11:12', 36881: '+01:00', 37521: '345', 42036: 'Acme 35mm' },
  gps: {
    1: 'N',
    2: [
      [51, 1],
      [30, 1],
      [2880, 100],
    ],
    3: 'W',
    4: [
      [0, 1],
      [7, 1],
      [4200, 100],
    ],
    5: [0],
    6: [[185, 10]],
    31: [[5, 1]],
  },
};

function directory(tags: Readonly<Record<number, SampleValue>>, at: number): Buffer {
  const entries = Object.entries(tags).map(([tag, value]) => ({ tag: Number(tag), ...written(value) }));
  const head = Buffer.alloc(2 + entries.length * 12 + 4);
  const values: Buffer[] = [];
  let valueAt = at + head.length;
  head.writeUInt16LE(entries.length);
  for (const [i, { tag, type, count, bytes }] of entries.entries()) {
    const entry = 2 + i * 12;
    head.writeUInt16LE(tag, entry);
    head.writeUInt16LE(type, entry + 2);
    head.writeUInt32LE(count, entry + 4);
    if (bytes.length <= 4) {
      bytes.copy(head, entry + 8);
    } else {
      head.writeUInt32LE(valueAt, entry + 8);
      values.push(bytes);
      valueAt += bytes.length;
    }
  }
  return Buffer.concat([head, ...values]);
}

function written(value: SampleValue): { readonly type: number; readonly count: number; readonly bytes: Buffer } {
  if (typeof value === 'string') {
    const bytes = Buffer.from(`${value}\0`, 'utf8');
    return { type: 2, count: bytes.length, bytes };
  }
  const isRational = Array.isArray(value[0]);
  const numbers = value.flat();
  const bytes = Buffer.alloc(numbers.length * 4);
  for (const [i, number] of numbers.entries()) bytes.writeUInt32LE(number, i * 4);
  return { type: isRational ? 5 : 4, count: value.length, bytes };
}
