import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packageDirections, serverDirections, undeclaredDependencies } from './import-directions.ts';
import { assertTidy, type Rule, readTree, sampleTree } from './tree.ts';

const tree = readTree();

function messagesOf(rule: Rule, table: Readonly<Record<string, string>>): string[] {
  return rule(sampleTree(table)).map((found) => `${found.path}:${found.line} ${found.message}`);
}

test('packages import only what the design allows', () => {
  assertTidy(packageDirections(tree));
});

test('folders of the server import only what the design allows', () => {
  assertTidy(serverDirections(tree));
});

test('every imported package is declared where it is imported', () => {
  assertTidy(undeclaredDependencies(tree));
});

test('an import against the direction of the packages is reported', () => {
  const messages = messagesOf(packageDirections, {
    'packages/queue/src/a.ts': `import { x } from '@rowlock/server';`,
    'packages/server/src/b.ts': `\nexport { y } from '@rowlock/client';`,
    'packages/console/src/c.tsx': `const z = await import('rowlock');`,
    'packages/cli/src/d.ts': `import type { T } from '../../server/src/server.ts';`,
    'packages/client/src/e.ts': `import { start } from '@rowlock/test-harness';`,
  });

  assert.deepEqual(
    messages.map((message) => message.split(' ')[0]),
    [
      'packages/queue/src/a.ts:1',
      'packages/server/src/b.ts:2',
      'packages/console/src/c.tsx:1',
      'packages/cli/src/d.ts:1',
      'packages/client/src/e.ts:1',
    ],
  );
});

test('allowed directions between packages, and the harness in tests, are not reported', () => {
  const messages = messagesOf(packageDirections, {
    'packages/server/src/a.ts': `import { RowlockError } from '@rowlock/client/contract'; import '@rowlock/queue';`,
    'packages/cli/src/b.ts': `import { createServer } from '@rowlock/server'; import { c } from './c.ts';`,
    'packages/client/src/c.test.ts': `import { start } from '@rowlock/test-harness';`,
    'test/src/d.ts': `import { run } from 'rowlock';`,
  });

  assert.deepEqual(messages, []);
});

test('an import against the direction of the folders of the server is reported', () => {
  const messages = messagesOf(serverDirections, {
    'packages/server/src/http/routes/a.ts': `import { x } from '../../metadata/objects.ts';`,
    'packages/server/src/metadata/b.ts': `import { x } from '../backend/disk.ts';`,
    'packages/server/src/jobs/c.ts': `import { x } from '../http/errors.ts';`,
    'packages/server/src/operations/d.ts': `import { x } from '../imaging/render.ts';`,
    'packages/server/src/domain/e.ts': `import { x } from '../server.ts';`,
    'packages/server/src/glue/f.ts': ``,
  });

  assert.equal(messages.length, 6, messages.join('\n'));
  assert.match(messages[0] ?? '', /http may import domain, auth, operations, changes, not metadata/);
  assert.match(messages[5] ?? '', /'glue' is not a room/);
});

test('allowed directions inside the server, roots and tests are not reported', () => {
  const messages = messagesOf(serverDirections, {
    'packages/server/src/server.ts': `import { x } from './metadata/pool.ts'; import { y } from './http/app.ts';`,
    'packages/server/src/jobs/a.ts': `import { x } from '../operations/move-object.ts'; import { b } from './b.ts';`,
    'packages/server/src/http/a.test.ts': `import { x } from '../metadata/objects.ts';`,
  });

  assert.deepEqual(messages, []);
});

test('an undeclared package is reported, and a development dependency counts for tests alone', () => {
  const manifest = JSON.stringify({
    name: '@rowlock/server',
    dependencies: { pg: '1' },
    devDependencies: { dev: '1' },
  });
  const messages = messagesOf(undeclaredDependencies, {
    'package.json': JSON.stringify({ name: 'root', devDependencies: { 'fast-check': '4' } }),
    'packages/server/package.json': manifest,
    'packages/server/src/a.ts': `import pg from 'pg'; import { x } from 'pg/lib/y'; import fs from 'node:fs';`,
    'packages/server/src/b.ts': `import { dev } from 'dev';\nimport fc from 'fast-check';`,
    'packages/server/src/b.test.ts': `import { dev } from 'dev'; import fc from 'fast-check';`,
    'test/src/c.ts': `import leftPad from '@scope/left-pad/x';`,
  });

  assert.deepEqual(
    messages.map((message) => message.split(' is ')[0]),
    [
      `packages/server/src/b.ts:1 'dev'`,
      `packages/server/src/b.ts:2 'fast-check'`,
      `test/src/c.ts:1 '@scope/left-pad'`,
    ],
  );
});
