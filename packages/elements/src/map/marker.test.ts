import assert from 'node:assert/strict';
import { test } from 'node:test';
import { safeAddress } from './marker.ts';

const base = 'https://app.example/map';

for (const [href, wanted] of [
  ['/holes/7', '/holes/7'],
  ['#7', '#7'],
  ['https://other.example/', 'https://other.example/'],
  ['javascript:alert(1)', undefined],
  [' JavaScript:alert(1)', undefined],
  ['java\nscript:alert(1)', undefined],
  ['data:text/html,x', undefined],
  ['blob:https://app.example/1', undefined],
  ['https://[', undefined],
  [undefined, undefined],
] as const) {
  test(`the address ${JSON.stringify(href)} ${wanted === undefined ? 'is no link' : 'is a link'}`, () => {
    assert.equal(safeAddress(href, base), wanted);
  });
}
