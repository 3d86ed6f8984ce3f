import assert from 'node:assert/strict';
import { test } from 'node:test';
import { presetDigest, variantPresets } from '../imaging/presets.ts';
import type { VariantRow } from '../metadata/variants.ts';
import { planVariants, toBeMadeAgain, variantGroups } from './plan-variants.ts';

const [small] = variantPresets;
assert.ok(small !== undefined);
const mark = { version_id: 'm', backend: 'disk', key: 'objects/aa/m', size: 100 };
const marked = { ...small, watermark: { position: 'centre', opacity: 1, scale: 0.5 }, watermark_version: 'm' } as const;
const row: VariantRow = {
  id: 'a',
  preset: 'small',
  status: 'pending',
  digest: null,
  params: { ...small },
  watermark: null,
};

const idsOf = (rows: readonly VariantRow[]): readonly string[] => planVariants(rows).wanted.map(({ id }) => id);

test('what is completed is planned only when somebody asked for it again', () => {
  const states = ['pending', 'processing', 'failed'] as const;
  const unmade = states.map((status): VariantRow => ({ ...row, id: status, status }));
  const made = [null, presetDigest(small), 'f'.repeat(64), toBeMadeAgain].map(
    (digest): VariantRow => ({ ...row, id: String(digest), status: 'completed', digest }),
  );

  assert.deepEqual(idsOf([...unmade, ...made]), [...states, toBeMadeAgain]);
});

test('a preset that its bucket does not have any more is not made, and not taken from who has it', () => {
  const gone: VariantRow = { ...row, params: null };

  const plan = planVariants([gone, { ...gone, id: 'b', status: 'completed', digest: toBeMadeAgain }]);

  assert.deepEqual(plan, { wanted: [], undefined: ['a'], unmarked: [] });
});

test('a preset with a watermark is made with it or not at all', () => {
  const [missing, huge] = [null, { ...mark, size: 2 ** 24 }];
  const rows = [missing, huge, mark].map(
    (watermark, n): VariantRow => ({ ...row, id: String(n), params: marked, watermark }),
  );

  const { wanted, unmarked } = planVariants(rows);

  assert.deepEqual([unmarked, wanted.map(({ id }) => id)], [['0', '1'], ['2']]);
  const { watermark_version, ...preset } = marked;
  assert.equal(wanted[0]?.digest, presetDigest(preset, watermark_version));
  assert.notEqual(wanted[0]?.digest, presetDigest(preset, 'another'));
  assert.ok(!('watermark_version' in (wanted[0]?.preset ?? {})), 'a decoder is told only what it has to know');
});

test('variants are rendered together but for their watermarks, those without any first', () => {
  const other = { ...mark, version_id: 'n' };
  const rows = [mark, null, other, mark].map(
    (watermark, n): VariantRow => ({
      ...row,
      id: String(n),
      params: watermark === null ? { ...small } : { ...marked, watermark_version: watermark.version_id },
      watermark,
    }),
  );

  const groups = variantGroups(planVariants(rows).wanted);

  assert.deepEqual(
    groups.map(({ watermark, variants }) => [watermark?.version_id, variants.map(({ id }) => id)]),
    [
      [undefined, ['1']],
      ['m', ['0', '3']],
      ['n', ['2']],
    ],
  );
});

const groupsOf = (rows: readonly VariantRow[]): readonly (readonly string[])[] =>
  variantGroups(planVariants(rows).wanted).map(({ variants }) => variants.map(({ id }) => id));

test('stripped copies are made by themselves, since a file may be shown that cannot be taken apart', () => {
  const copy: VariantRow = { ...row, id: 'copy', params: { ...small, format: 'stripped' } };

  assert.deepEqual(groupsOf([copy, row, { ...row, id: 'b' }]), [['a', 'b'], ['copy']]);
});

test('variants that may be too many bytes for one reply are made one after the other', () => {
  const huge = { ...small, width: 4096, height: null, format: 'png' };
  const moving = { ...small, format: 'webp', animated: true };
  const rows = [huge, huge, small, small, moving].map(
    (preset, n): VariantRow => ({ ...row, id: String(n), params: { ...preset } }),
  );

  assert.deepEqual(groupsOf(rows), [['0'], ['1', '2', '3'], ['4']]);
});
