import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rgbaToThumbHash, thumbHashToRGBA } from 'thumbhash';
import { decodeThumbhash } from './thumbhash.ts';

/** Pixels of a picture with structure, and where asked for with holes. */
function picture(width: number, height: number, hasAlpha: boolean): Uint8Array {
  const pixels = Array.from({ length: width * height }, (_, place) => {
    const [x, y] = [place % width, Math.floor(place / width)];
    return [(x * 255) / width, (y * 255) / height, (x * y) % 256, hasAlpha && x < width / 2 ? 40 : 255];
  });
  return Uint8Array.from(pixels.flat());
}

for (const [width, height, hasAlpha] of [
  [64, 48, false],
  [48, 64, false],
  [64, 64, false],
  [64, 9, false],
  [9, 64, true],
  [50, 40, true],
] as const) {
  test(`a placeholder of ${width} by ${height}${hasAlpha ? ' with opacity' : ''} decodes as its inventor's code does`, () => {
    const hash = rgbaToThumbHash(width, height, picture(width, height, hasAlpha));
    const theirs = thumbHashToRGBA(hash);

    const ours = decodeThumbhash(Buffer.from(hash).toString('base64'));

    assert.deepEqual([ours?.width, ours?.height], [theirs.w, theirs.h]);
    const farthest = Math.max(...theirs.rgba.map((value, place) => Math.abs(value - (ours?.rgba[place] ?? -255))));
    assert.ok(farthest <= 1, `a channel differs by ${farthest}`);
  });
}

test('what is no placeholder decodes to nothing', () => {
  const texts = ['', '????', 'AAAA', 'AAAAAAA=', 'no base64 at all', '////////////'];

  assert.deepEqual(
    texts.map(decodeThumbhash),
    texts.map(() => undefined),
  );
});
