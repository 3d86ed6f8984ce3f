/**
 * Reads captions from IPTC datasets (IIM 4.2), also from within Photoshop's resources, as JPEG carries them. It reads the
 * application record only. Invariant: it moves forward with every step and never looks beyond the block.
 */
import { captionCharsMax, keywordsMax, noTexts, type TextFacts, wordsCharsMax, wordsOf } from './fact-text.ts';

/** Record 2 of IIM: which dataset says what. */
const dataset = { title: 5, keyword: 25, creator: 80, copyright: 116, caption: 120 } as const;
const datasetsMax = 1000;
const resourcesMax = 1000;
const resourceOfIptc = 0x0404;

/** Reads a block; one that is none says nothing. */
export function readIptc(block: Uint8Array): TextFacts {
  const datasets = block[0] === 0x1c ? block : datasetsOf(Buffer.from(block.buffer, block.byteOffset, block.length));
  return datasets === undefined ? noTexts : readDatasets(datasets);
}

/** Photoshop's resources, each `8BIM`, a number, a name of even length, a length and data of even length. */
function datasetsOf(block: Buffer): Uint8Array | undefined {
  let at = block.indexOf('8BIM', 0, 'latin1');
  if (at < 0 || at > 64) return undefined;
  for (let i = 0; i < resourcesMax && at + 12 <= block.length; i++) {
    if (block.toString('latin1', at, at + 4) !== '8BIM') return undefined;
    const number = block.readUInt16BE(at + 4);
    const data = at + 6 + even((block[at + 6] ?? 0) + 1) + 4;
    if (data > block.length) return undefined;
    const length = block.readUInt32BE(data - 4);
    if (number === resourceOfIptc) return block.subarray(data, data + length);
    at = data + even(length);
  }
  return undefined;
}

function readDatasets(block: Uint8Array): TextFacts {
  const found = new Map<number, string>();
  const keywords: string[] = [];
  let at = 0;
  for (let i = 0; i < datasetsMax && at + 5 <= block.length && block[at] === 0x1c; i++) {
    const [record, number] = [block[at + 1], block[at + 2] ?? 0];
    const length = ((block[at + 3] ?? 0) << 8) | (block[at + 4] ?? 0);
    if (length > 0x7fff) break; // the length of a length follows: nothing that is read here is so long
    const data = block.subarray(at + 5, at + 5 + length);
    at += 5 + length;
    if (record !== 2) continue;
    const text = wordsOf(data, number === dataset.caption ? captionCharsMax : wordsCharsMax);
    if (text === null) continue;
    if (number !== dataset.keyword) found.set(number, found.get(number) ?? text);
    else if (keywords.length < keywordsMax) keywords.push(text);
  }
  const said = (number: number): string | null => found.get(number) ?? null;
  return {
    title: said(dataset.title),
    caption: said(dataset.caption),
    creator: said(dataset.creator),
    copyright: said(dataset.copyright),
    keywords,
  };
}

function even(length: number): number {
  return length + (length % 2);
}
