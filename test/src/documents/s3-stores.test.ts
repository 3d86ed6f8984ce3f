/** The page about S3 stores has the table of quirks that the code has. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { s3Quirks } from '../../../packages/server/dist/backend/s3/s3-quirks.js';

test('what stores do differently is described for each, and for no other', () => {
  const page = readFileSync(fileURLToPath(new URL('../../../docs/reference/s3-stores.md', import.meta.url)), 'utf8');
  const [, afterHeading = ''] = page.split('## What differs');
  const [section = ''] = afterHeading.split('\n## ');

  const rows = [...section.matchAll(/^\| `(\w+)` \|(.+)\|$/gm)].map(([, flavour = '', cells = '']) => [
    flavour,
    cells.split('|').map((cell) => cell.trim()),
  ]);

  const order = [
    'conditional_put',
    'conditional_complete',
    'conditional_copy',
    'checksums',
    'object_acls',
    'lists_uploads',
    'equal_parts',
  ] as const;
  assert.deepEqual(
    rows,
    Object.entries(s3Quirks).map(([flavour, quirks]) => [flavour, order.map((name) => (quirks[name] ? 'yes' : 'no'))]),
  );
});
