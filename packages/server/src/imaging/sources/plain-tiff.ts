/**
 * Writes raw pixels as an uncompressed TIFF with their colour profile, which is the one form in which libvips takes both.
 * It reads nothing. Invariant: the file holds these pixels, that profile, and no other metadata.
 */

export interface PlainPixels {
  /** Rows of pixels of 8 bits a channel, from the top. */
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
  /** RGB, or RGB with an alpha that was not multiplied in. */
  readonly channels: 3 | 4;
}

const headerBytes = 8;
const entryBytes = 12;
const short = 3;
const long = 4;
const undefinedBytes = 7;

/** Returns the file. */
export function plainTiff({ data, width, height, channels }: PlainPixels, profile?: Buffer): Buffer {
  // Of an even length, since directories begin at even places.
  const evenly = (bytes: Buffer): Buffer => (bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]));
  const pixels = evenly(data);
  const icc = evenly(profile ?? Buffer.alloc(0));
  const depths = Buffer.alloc(8);
  for (let channel = 0; channel < channels; channel++) depths.writeUInt16LE(8, channel * 2);
  const iccAt = headerBytes + pixels.length;
  const depthsAt = iccAt + icc.length;
  const entries: readonly (readonly [tag: number, type: number, count: number, value: number])[] = [
    [256, long, 1, width],
    [257, long, 1, height],
    [258, short, channels, depthsAt],
    [259, short, 1, 1], // not compressed
    [262, short, 1, 2], // RGB
    [273, long, 1, headerBytes],
    [277, short, 1, channels],
    [278, long, 1, height],
    [279, long, 1, data.length],
    [284, short, 1, 1], // channels side by side
    ...(channels === 4 ? ([[338, short, 1, 2]] as const) : []),
    ...(profile === undefined ? [] : ([[34_675, undefinedBytes, profile.length, iccAt]] as const)),
  ];
  const directory = Buffer.alloc(2 + entries.length * entryBytes + 4);
  directory.writeUInt16LE(entries.length, 0);
  for (const [i, [tag, type, count, value]] of entries.entries()) {
    const at = 2 + i * entryBytes;
    directory.writeUInt16LE(tag, at);
    directory.writeUInt16LE(type, at + 2);
    directory.writeUInt32LE(count, at + 4);
    directory.writeUInt32LE(value, at + 8);
  }
  const header = Buffer.from([0x49, 0x49, 42, 0, 0, 0, 0, 0]);
  header.writeUInt32LE(depthsAt + depths.length, 4);
  return Buffer.concat([header, pixels, icc, depths, directory]);
}
