/**
 * Real images for the tests of this folder, made from code so that none is in the repository: scenes, files of
 * every accepted format, hostile headers. It is not part of the service. Invariant: the same call makes the
 * same picture.
 */
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';

export interface Scene {
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
}

/** Gradients with a bright red disc off the centre: no symmetry, one thing to look at, no flat line. */
export function scene(width: number, height: number): Scene {
  const data = Buffer.alloc(width * height * 3);
  const [discX, discY, radius] = [width * 0.3, height * 0.4, Math.min(width, height) * 0.18];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      const isDisc = (x - discX) ** 2 + (y - discY) ** 2 < radius ** 2;
      data[at] = isDisc ? 230 : 60 + (40 * x) / width;
      data[at + 1] = isDisc ? 30 : 90 + (60 * y) / height;
      data[at + 2] = isDisc ? 30 : 110 + (50 * (x + y)) / (width + height);
    }
  }
  return { data, width, height };
}

/** Hands a scene to sharp. */
export function drawn({ data, width, height }: Scene): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } });
}

/** Noise, which makes a JPEG as large as a camera's. */
export function noise(width: number, height: number): Sharp {
  return sharp({
    create: { width, height, channels: 3, background: '#808080', noise: { type: 'gaussian', mean: 128, sigma: 20 } },
  });
}

/** An accepted format by name, with a file of it. */
export const encoded: Readonly<Record<'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif', (image: Sharp) => Sharp>> = {
  jpeg: (image) => image.jpeg({ quality: 95 }),
  png: (image) => image.png(),
  webp: (image) => image.webp({ quality: 95 }),
  gif: (image) => image.gif(),
  tiff: (image) => image.tiff({ compression: 'lzw' }),
  avif: (image) => image.avif({ quality: 80, effort: 0 }),
};

/**
 * Where a stored pixel of each orientation comes from in the upright picture, by the EXIF specification's table
 * "the 0th row is the visual top, the 0th column the visual left" and its seven siblings.
 */
const uprightAt: readonly ((
  row: number,
  column: number,
  width: number,
  height: number,
) => readonly [x: number, y: number])[] = [
  (r, c) => [c, r],
  (r, c, w) => [w - 1 - c, r],
  (r, c, w, h) => [w - 1 - c, h - 1 - r],
  (r, c, _w, h) => [c, h - 1 - r],
  (r, c) => [r, c],
  (r, c, w) => [w - 1 - r, c],
  (r, c, w, h) => [w - 1 - r, h - 1 - c],
  (r, c, _w, h) => [r, h - 1 - c],
];

/** Stores a scene as a camera held so that the given orientation (1 to 8) brings it upright again. */
export function turned({ data, width, height }: Scene, orientation: number): Scene {
  const [across, down] = orientation > 4 ? [height, width] : [width, height];
  const stored = Buffer.alloc(data.length);
  for (let row = 0, at = 0; row < down; row++) {
    for (let column = 0; column < across; column++, at += 3) {
      const [x, y] = uprightAt[orientation - 1]?.(row, column, width, height) ?? [0, 0];
      data.copy(stored, at, (y * width + x) * 3, (y * width + x) * 3 + 3);
    }
  }
  return { data: stored, width: across, height: down };
}

/** A PNG of the given size by its header, with next to no pixel data. */
export function pngBomb(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 1; // one bit a pixel, greyscale
  const chunks = [
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(10_000))),
    chunk('IEND', Buffer.alloc(0)),
  ];
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...chunks]);
}

/**
 * Makes a HEIC file (HEVC inside) of an AVIF one by exchanging its brands, item type and decoder configuration,
 * since nothing here can encode HEVC. Its header is sound; its pixels are not.
 */
export function asHeic(avif: Buffer): Buffer {
  const text = avif.toString('latin1').replaceAll('avif', 'heic').replaceAll('av01', 'hvc1');
  const bytes = Buffer.from(text, 'latin1');
  const at = bytes.indexOf('av1C') - 4;
  const configuration = Buffer.from([
    1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93, 0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, 15, 0,
  ]);
  const box = Buffer.concat([Buffer.from([0, 0, 0, 8 + configuration.length]), Buffer.from('hvcC'), configuration]);
  const grown = box.length - bytes.readUInt32BE(at);
  for (const name of ['meta', 'iprp', 'ipco']) {
    const size = bytes.indexOf(name) - 4;
    bytes.writeUInt32BE(bytes.readUInt32BE(size) + grown, size);
  }
  return Buffer.concat([bytes.subarray(0, at), box, bytes.subarray(at + bytes.readUInt32BE(at))]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
