/**
 * Reads negative controls: for each guard, the edit that removes it and the test that must then fail. It applies none.
 * One file of `test/controls` is one area; the order is that of the files.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '../../setup/workspace.mjs';

const fields = ['guard', 'file', 'find', 'replace', 'test', 'name'];

/**
 * Returns the controls below `root` as `{ area, guard, file, find, replace, test, name }`.
 *
 * `area` chooses a file, `only` a part of a guard, a file, a test or a test's name.
 *
 * @throws Error that names the entry which lacks a field
 */
export function readControls(root, { area, only } = {}) {
  const folder = join(root, 'test', 'controls');
  const areas = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length))
    .sort();
  const controls = areas.flatMap((name) =>
    readJson(join(folder, `${name}.json`)).map((entry, index) => checked({ area: name, ...entry }, index)),
  );
  return controls.filter((control) => isChosen(control, { area, only }));
}

function checked(entry, index) {
  const wrong = fields.find(
    (field) => typeof entry[field] !== 'string' || (field !== 'replace' && entry[field] === ''),
  );
  if (wrong !== undefined)
    throw new Error(`test/controls/${entry.area}.json, entry ${index + 1}: no text in "${wrong}"`);
  return entry;
}

function isChosen(control, { area, only }) {
  if (area !== undefined && control.area !== area) return false;
  return only === undefined || ['guard', 'file', 'test', 'name'].some((field) => control[field].includes(only));
}
