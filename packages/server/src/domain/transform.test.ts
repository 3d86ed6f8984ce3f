import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  acceptedFormat,
  pictureFor,
  picturesOf,
  readTransform,
  snapped,
  type Transform,
  transformSideMax,
  transformSizesDefault,
} from './transform.ts';

const sizeOf = ({ width, height }: Transform): unknown => [width, height];

test('a transform is read from a query and from JSON alike, and from nothing is none', () => {
  const asked = { width: 300, height: 200, resize: 'fill', quality: 20, format: 'origin' };

  assert.deepEqual(
    readTransform({ width: '300', height: '200', resize: 'fill', quality: '20', format: 'origin' }),
    asked,
  );
  assert.deepEqual(readTransform(asked), asked);
  assert.equal(readTransform({}), undefined);
});

test('what is no size, quality, format or name of one is refused by its name', () => {
  const texts = [
    '0',
    '-1',
    '2001',
    '1e3',
    'NaN',
    '',
    ' 7',
    '7 ',
    '+5',
    '1.5',
    '0x10',
    '007',
    '٣',
    'Infinity',
    '1'.repeat(400),
  ];
  for (const width of [...texts, 0, -1, 1.5, Number.NaN, 2001, null, [], ['5'], {}, true]) {
    assert.throws(() => readTransform({ width }), { reason: 'invalid_request', message: /"width"/ }, String(width));
  }
  for (const [name, value] of [
    ['height', '2001'],
    ['quality', '19'],
    ['quality', '101'],
    ['resize', 'stretch'],
    ['format', '../../x'],
    ['format', ['webp']],
    ['gravity', 'no'],
    ['toString', '1'],
  ]) {
    assert.throws(() => readTransform({ [String(name)]: value }), { message: new RegExp(`"${String(name)}"`) });
  }
  assert.throws(
    () => readTransform({ ['x'.repeat(10_000)]: 1 }),
    ({ message }: Error) => message.length < 200,
  );
});

test('sizes come up to a step, and a box of a usual ratio keeps it', () => {
  const snap = (asked: Transform): Transform => snapped(asked, transformSizesDefault);

  assert.deepEqual(sizeOf(snap({ width: 1 })), [64, undefined]);
  assert.deepEqual(sizeOf(snap({ height: 64 })), [undefined, 64]);
  assert.deepEqual(sizeOf(snap({ width: 1999 })), [1920, undefined]);
  assert.deepEqual(sizeOf(snap({ width: 400, height: 300 })), [640, 480]);
  assert.deepEqual(sizeOf(snap({ width: 281, height: 500 })), [360, 640]);
  assert.deepEqual(sizeOf(snap({ width: 100, height: 370 })), [128, 384]);
  assert.deepEqual(snap({ quality: 81 }).quality, 90);
  assert.deepEqual(snap({ quality: 20 }).quality, 20);
});

test('of one image there are only so many pictures, whatever is asked for', () => {
  const boxes = new Set<string>();
  for (let width = 1; width <= transformSideMax; width += 23) {
    for (let height = 1; height <= transformSideMax; height += 23) {
      const box = snapped({ width, height }, transformSizesDefault);
      boxes.add(`${box.width} ${box.height}`);
      assert.ok(Number(box.width) >= 1 && Number(box.height) >= 1);
    }
  }

  assert.ok(boxes.size <= transformSizesDefault.length * (transformSizesDefault.length + 13), `${boxes.size} boxes`);
});

test('pictures are made in the format that is asked for, accepted, or nearest to the object', () => {
  const formatOf = (asked: Transform, accepted: 'webp' | undefined, type: string): string =>
    pictureFor(picturesOf(asked, accepted), type).format;

  assert.equal(formatOf({ format: 'avif' }, 'webp', 'image/png'), 'avif');
  assert.equal(formatOf({ width: 5 }, 'webp', 'image/png'), 'webp');
  assert.equal(formatOf({ width: 5 }, undefined, 'image/png'), 'png');
  assert.equal(formatOf({ format: 'origin' }, 'webp', 'image/webp'), 'webp');
  assert.equal(formatOf({ format: 'origin' }, 'webp', 'image/gif'), 'png');
  assert.equal(formatOf({ format: 'origin' }, 'webp', 'application/pdf'), 'jpeg');
  assert.equal(formatOf({ format: 'origin' }, 'webp', '__proto__'), 'jpeg');
});

test('only a box is filled or stretched, and every picture has a largest size', () => {
  const fitOf = (asked: Transform): string => {
    const { width, height, fit } = pictureFor(picturesOf({ ...asked, format: 'png' }, undefined), null);
    return `${fit} ${width} ${height}`;
  };

  assert.equal(fitOf({ width: 5, height: 6 }), 'cover 5 6');
  assert.equal(fitOf({ width: 5, height: 6, resize: 'contain' }), 'inside 5 6');
  assert.equal(fitOf({ width: 5, height: 6, resize: 'fill' }), 'fill 5 6');
  assert.equal(fitOf({ width: 5, resize: 'fill' }), 'inside 5 4096');
  assert.equal(fitOf({ quality: 20 }), 'inside 2000 2000');
});

test('Accept chooses by its weights, WebP where it does not care, and neither where it names none', () => {
  for (const [accept, format] of [
    [undefined, undefined],
    ['*/*', undefined],
    ['image/*', undefined],
    ['image/avif,image/webp,image/apng,image/*,*/*;q=0.8', 'webp'],
    ['IMAGE/AVIF , image/webp;q=0.9', 'avif'],
    ['image/webp;q=0, image/avif;q=0', undefined],
    ['image/webp;q=x', undefined],
    [`${'a/b,'.repeat(1000)}image/webp`, undefined],
  ] as const) {
    assert.equal(acceptedFormat(accept), format, accept);
  }
});
