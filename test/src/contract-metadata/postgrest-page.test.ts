/** The page about PostgREST lists exactly the functions, columns and settings that there are. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { createMigratedDatabase, type MigratedDatabase } from '@rowlock/test-harness';

const page = readFileSync(new URL('../../../docs/reference/postgrest.md', import.meta.url), 'utf8');
let database: MigratedDatabase;

before(async () => {
  database = await createMigratedDatabase();
});
after(() => database.drop());

/** The text of one section. */
const section = (title: string): string => page.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? '';

/** What is in the first cells of a section's table rows. */
const firstCells = (text: string): string[] =>
  [...text.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(\w+)`/g)].map((each) => each[1] ?? ''),
  );

test('every function of the exposed schema has a row with its arguments, and no other', async () => {
  const functions = await database.query<{ name: string; args: string[] | null }>(
    `SELECT proname AS name, proargnames[1:pronargs] AS args FROM pg_proc
     WHERE pronamespace = 'public'::regnamespace AND proowner = 'rowlock_owner'::regrole`,
  );
  const rows = section('Functions').split('\n');

  assert.deepEqual(firstCells(section('Functions')).sort(), functions.map(({ name }) => name).sort());
  for (const { name, args } of functions) {
    const row = rows.find((line) => line.startsWith(`| \`${name}\``)) ?? '';
    const named = (args ?? []).filter((arg) => /^(p_|since|row_limit|bucket|prefix)/.test(arg));
    const four = ['p_entity_type', 'p_entity_id', 'p_file_name', 'p_file_type'];
    for (const arg of named.filter((each) => !(/the four/.test(row) && four.includes(each)))) {
      assert.match(row, new RegExp(`\`${arg}\\??\``), `${name} ${arg}`);
    }
  }
});

test('every column of every view is named, in its own part', async () => {
  const columns = await database.query<{ view: string; columns: string[] }>(
    `SELECT c.relname AS view, array_agg(a.attname::text) AS columns
     FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
     WHERE c.relkind = 'v' AND c.relnamespace = 'public'::regnamespace AND pg_get_userbyid(c.relowner) = 'rowlock_owner'
     GROUP BY c.relname`,
  );
  const parts = section('Views').split(/\n\n(?=`\w+`, )/);

  for (const { view, columns: names } of columns) {
    const part = parts.find((each) => each.startsWith(`\`${view}\``)) ?? '';
    assert.notEqual(part, '', view);
    for (const name of names) assert.ok(part.includes(`\`${name}\``), `${view}.${name}`);
  }
});

test('the settings have the defaults that the page says', async () => {
  const settings = await database.query<{ name: string; value: string }>('SELECT name, value FROM storage.settings');
  const defaults = new Map(settings.map(({ name, value }) => [name, value]));
  const rows = [...section('Settings').matchAll(/^\| `(\w+)` \| (\w+) \|/gm)];

  assert.equal(rows.length, 10);
  for (const [, name = '', value] of rows) assert.equal(defaults.get(name), value, name);
});
