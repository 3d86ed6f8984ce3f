import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { estimateCosts } from '@rowlock/server';
import { temporaryFolder } from '@rowlock/test-harness';
import { readPrices, shippedPrices } from './prices.ts';

const terabyte = 1e12;

function priceFile(content: unknown): string {
  const path = join(temporaryFolder(), 'prices.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const place = { name: 'here', title: 'Here', storage_gb_month: 1, egress_gb: 2 };

test('R166 the shipped prices give the published costs of a terabyte of which half leaves', () => {
  const costs = estimateCosts(readPrices(shippedPrices), { bytes: terabyte, egress_bytes: terabyte / 2 });

  const totals = Object.fromEntries(costs.map(({ name, total }) => [name, Number(total.toFixed(2))]));

  assert.deepEqual({ s3: totals['s3'], r2: totals['r2'], b2: totals['b2'] }, { s3: 65.5, r2: 15, b2: 11 });
  assert.ok((totals['rds'] ?? 0) > 150);
  assert.equal(costs[0]?.name, 'b2', 'the cheapest is first');
});

test('R166 bytes in the database cost five times what they cost in S3', () => {
  const year = (name: string): number => {
    const costs = estimateCosts(readPrices(shippedPrices), { bytes: terabyte, egress_bytes: 0 });
    return 12 * (costs.find((each) => each.name === name)?.storage ?? Number.NaN);
  };

  assert.equal(year('rds') / year('s3'), 5);
});

test('prices of one’s own count, and storage and egress are told apart', () => {
  const path = priceFile({ as_of: 'today', currency: 'EUR', places: [place] });

  const costs = estimateCosts(readPrices(path), { bytes: 3e9, egress_bytes: 1e9 });

  assert.deepEqual(costs, [{ name: 'here', title: 'Here', storage: 3, egress: 2, total: 5 }]);
});

test('a price file that is not one is refused, and says what is wrong', () => {
  const good = { as_of: 'today', currency: 'EUR', places: [place] };
  const files: readonly (readonly [unknown, RegExp])[] = [
    ['{', /cannot be read/],
    [null, /as_of/],
    [{ ...good, currency: 3 }, /currency/],
    [{ ...good, currency: 'E\u001b[2J' }, /currency/],
    [{ ...good, places: [] }, /places/],
    [{ ...good, places: [{ ...place, egress_gb: -1 }] }, /place number 1/],
    [{ ...good, places: [place, { ...place, storage_gb_month: '1' }] }, /place number 2/],
    [{ ...good, places: [place, place] }, /twice/],
  ];

  for (const [content, why] of files) {
    assert.throws(() => readPrices(priceFile(content)), { name: 'UsageError', message: why });
  }
  assert.throws(() => readPrices(join(temporaryFolder(), 'none.json')), { name: 'UsageError' });
});
