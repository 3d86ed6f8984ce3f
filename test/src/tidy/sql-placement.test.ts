import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sqlPlacement } from './sql-placement.ts';
import { assertTidy, readTree, sampleTree } from './tree.ts';

test('SQL is only where SQL is at home', () => {
  assertTidy(sqlPlacement(readTree()));
});

test('statements outside of it are reported, whatever quotes hold them', () => {
  const lines = [
    `run('SELECT 1');`,
    `run(\`\n  INSERT INTO t VALUES (\${x})\`);`,
    `run("update t set a = 1");`,
    'run(`-- why\nWITH found AS (SELECT 1) SELECT 2`);',
    `run('BEGIN');`,
    `run('SET LOCAL ROLE anon');`,
    `run('DELETE FROM t');`,
    `run('CREATE ROLE x');`,
    `run('GRANT SELECT ON t TO x');`,
    `run(\`ALTER TABLE \${name} ADD a int\`);`,
    `run('select storage.begin_upload($1)');`,
    `run(\`LISTEN \${channel}\`);`,
  ];
  const files = sampleTree({ 'packages/server/src/operations/a.ts': lines.join('\n') });

  const found = sqlPlacement(files);

  assert.equal(found.length, lines.length, JSON.stringify(found.map(({ line }) => line)));
});

test('prose, HTTP methods, command tags and types are not SQL', () => {
  const files = sampleTree({
    'packages/server/src/http/a.ts': [
      `const methods = ['DELETE', 'UPDATE_ALL', 'OPTIONS'];`,
      `if (result.command === 'ROLLBACK') fail('Create a bucket with this name first.');`,
      `type Tag = 'COMMIT' | 'BEGIN';`,
      `log('with this in mind', 'update the row, then set the flag', 'Select a file from the list');`,
    ].join('\n'),
  });

  assert.deepEqual(sqlPlacement(files), []);
});

test('SQL in its places and in tests is not reported', () => {
  const text = `run('SELECT 1');`;
  const files = sampleTree({
    'packages/server/src/metadata/objects.ts': text,
    'packages/queue/src/statements/job-insert.ts': text,
    'packages/queue/src/migrate.ts': text,
    'packages/queue/src/migrations/m7.ts': `const x = 1;`,
    'packages/cli/src/dev/roles-statements.ts': text,
    'packages/cli/src/dev/embedded/statements.ts': text,
    'packages/server/src/http/a.test.ts': text,
    'test/src/a.ts': text,
    'bench/src/a.ts': text,
    'examples/app/main.ts': text,
  });

  assert.deepEqual(sqlPlacement(files), []);
});
