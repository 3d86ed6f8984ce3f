/** The page that says who may do what, and the catalog, say the same: neither has a policy, grant or function more. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createMigratedDatabase, type MigratedDatabase } from '@rowlock/test-harness';
import pg from 'pg';
import { fillPage, type PageSection, pageSections, sectionNames } from './access-page.ts';

const file = fileURLToPath(new URL('../../../docs/reference/access.md', import.meta.url));

let database: MigratedDatabase;
let client: pg.Client;

before(async () => {
  database = await createMigratedDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
after(async () => {
  await client.end();
  await database.drop();
});

/** The tables of a catalog that a statement changed; nothing stays changed. */
async function sectionsAfter(change: string): Promise<readonly PageSection[]> {
  await client.query('BEGIN');
  try {
    await client.query(change);
    return await pageSections(client);
  } finally {
    await client.query('ROLLBACK');
  }
}

describe('docs/reference/access.md', () => {
  test('has a place for every table of the catalog, and no other', async () => {
    const sections = await sectionsAfter('SELECT');

    assert.deepEqual(
      [...sectionNames(await readFile(file, 'utf8'))].sort(),
      sections.map(({ name }) => name).sort(),
      'write the missing <!-- catalog: NAME --> and <!-- end --> where it belongs',
    );
  });

  test('lists the policies, grants and functions of the catalog, and no other', async () => {
    const page = await readFile(file, 'utf8');

    const filled = fillPage(page, await sectionsAfter('SELECT'));

    if (process.env['ROWLOCK_WRITE_SCHEMA'] === '1') {
      await writeFile(file, filled);
    }
    assert.equal(page, filled, 'run ROWLOCK_WRITE_SCHEMA=1 npm test -- database/catalog-access');
  });

  test('says in words what every policy and every function of application roles is for', async () => {
    const page = await readFile(file, 'utf8');

    const unsaid = page.split('\n').filter((line) => line.endsWith('| ? |'));

    assert.deepEqual(unsaid, []);
  });
});

describe('the page differs from', () => {
  for (const [what, change] of [
    ['a policy more', 'CREATE POLICY more ON storage.objects FOR SELECT TO anon USING (true)'],
    ['a policy less', 'DROP POLICY objects_delete ON storage.objects'],
    ['a policy for another role', 'ALTER POLICY objects_read ON storage.objects TO anon, authenticated'],
    ['a grant more', 'GRANT SELECT ON storage.versions TO service_role'],
    ['a grant less', 'REVOKE SELECT ON storage.variants FROM anon'],
    ['a column more', 'GRANT UPDATE (size) ON storage.objects TO authenticated'],
    ['a function that runs as another', 'ALTER FUNCTION storage.may_upload SECURITY DEFINER'],
    ['a function that another may execute', 'GRANT EXECUTE ON FUNCTION storage_internal.sweep_expired TO service_role'],
    ['a table without row-level security', 'ALTER TABLE storage.objects DISABLE ROW LEVEL SECURITY'],
    ['a role that may become another', 'GRANT service_role TO authenticated'],
    ['a schema that another may name', 'GRANT USAGE ON SCHEMA storage_internal TO service_role'],
  ] as const) {
    test(what, async () => {
      const page = await readFile(file, 'utf8');

      const filled = fillPage(page, await sectionsAfter(change));

      assert.notEqual(page, filled);
    });
  }
});
