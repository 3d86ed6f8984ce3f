/**
 * Finds an EXIF block where ImageMagick put it into PNG before that had a chunk for it: in a text, as hexadecimal digits. It
 * reads no EXIF. Invariant: it looks at what stands before the pixels, and unpacks a mebibyte at most, once.
 */
import { inflateSync } from 'node:zlib';

const signature = '\x89PNG\r\n\x1a\n';
const keywords: readonly string[] = ['Raw profile type exif', 'Raw profile type APP1'];
const textBytesMax = 2 ** 20;
const chunksMax = 1000;

/** Returns the block of the first such text; undefined where there is none, or it is not whole. */
export function exifOfPngText(file: Buffer): Buffer | undefined {
  if (file.toString('latin1', 0, 8) !== signature) return undefined;
  let at = 8;
  for (let n = 0; n < chunksMax && at + 12 <= file.length; n += 1) {
    const end = at + 12 + file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    if (type === 'IDAT' || end > file.length) return undefined;
    const text = type === 'zTXt' || type === 'tEXt' ? profileText(type, file.subarray(at + 8, end - 4)) : undefined;
    if (text !== undefined) return blockOf(text);
    at = end;
  }
  return undefined;
}

/** What stands behind one of the keywords; undefined behind another. */
function profileText(type: 'zTXt' | 'tEXt', data: Buffer): string | undefined {
  const end = data.indexOf(0);
  if (!keywords.includes(data.toString('latin1', 0, Math.max(0, end)))) return undefined;
  if (type === 'tEXt') return data.toString('latin1', end + 1, end + 1 + textBytesMax);
  try {
    // One byte says how it is packed; there is one way.
    return inflateSync(data.subarray(end + 2), { maxOutputLength: textBytesMax }).toString('latin1');
  } catch {
    return ''; // damaged, or a bomb: it says nothing
  }
}

/** `\nexif\n    1234\n` and then two digits a byte, in lines. */
function blockOf(text: string): Buffer | undefined {
  const head = /^\s*\S+\s+(\d{1,7})\s/.exec(text);
  if (head === null) return undefined;
  const block = Buffer.from(text.slice(head[0].length).replace(/\s+/g, ''), 'hex');
  return block.length >= Number(head[1]) ? block.subarray(0, Number(head[1])) : undefined;
}
