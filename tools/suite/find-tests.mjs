/**
 * Finds the compiled test files, by their sources: what was compiled from a
 * source that is gone is no test any more.
 */
import { existsSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { filesBelow, projects, root } from '../setup/workspace.mjs';

/**
 * Returns `{ source, compiled }` of every test file whose source path, relative to the clone, contains one of `filters`.
 *
 * Without filters, of every test file.
 */
export function findTests(filters) {
  const folders = new Map(projects().map(({ source, output }) => [source, output]));
  const tests = [...folders].flatMap(([source, output]) =>
    filesBelow(source)
      .filter((path) => /\.test\.tsx?$/.test(path))
      .map((path) => ({
        source: relative(root, path).split(sep).join('/'),
        compiled: join(output, relative(source, path)).replace(/\.tsx?$/, '.js'),
      })),
  );
  const chosen = tests.filter(({ source }) => filters.length === 0 || filters.some((part) => source.includes(part)));
  const missing = chosen.filter(({ compiled }) => !existsSync(compiled));
  if (missing.length > 0) throw new Error(`Not compiled: ${missing.map(({ source }) => source).join(', ')}`);
  return chosen;
}
