/**
 * The EXIF block of a stripped file: an orientation and nothing else. It reads no file. Invariant: what it writes is 26
 * bytes long whatever the block said that it replaces.
 */
import { readExif } from '../facts/exif.ts';

/** A TIFF structure with one tag, for a block that turns its picture; undefined for one that does not. */
export function orientationBlock(exif: Uint8Array | undefined): Buffer | undefined {
  const orientation = exif === undefined ? 1 : readExif(exif).orientation;
  if (orientation === 1) return undefined;
  const block = Buffer.alloc(26);
  block.write('MM\0*', 0, 'latin1');
  block.writeUInt32BE(8, 4); // where the directory is
  block.writeUInt16BE(1, 8); // its entries
  block.writeUInt16BE(0x0112, 10);
  block.writeUInt16BE(3, 12); // a short
  block.writeUInt32BE(1, 14);
  block.writeUInt16BE(orientation, 18);
  return block; // and no directory follows
}
