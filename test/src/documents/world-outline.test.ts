/** The outline of the world is what its tool makes of the package that it names, and nothing that somebody drew. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

const root = new URL('../../../', import.meta.url);

/** The lines of a module, in the order in which they stand. */
function linesOf(module: string): readonly string[] {
  return [...module.matchAll(/'([-\d ;]+)'/g)].map(([, lines = '']) => lines);
}

test('the outline of the world is what its tool makes of Natural Earth', async () => {
  const { worldOutline } = (await import(new URL('tools/generate/world-outline.mjs', root).href)) as {
    worldOutline(): string;
  };
  const committed = await readFile(new URL('packages/elements/src/map/world-outline.ts', root), 'utf8');

  const made = linesOf(worldOutline());

  assert.equal(made.length, 2);
  assert.deepEqual(linesOf(committed), made);
});
