import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moduleComments } from './module-comments.ts';
import { assertTidy, readTree, sampleTree } from './tree.ts';

const comment = '/**\n * Holds one thing and keeps it whole.\n * It never gives it away.\n */\n';

test('every module begins by saying what it is responsible for', () => {
  assertTidy(moduleComments(readTree()));
});

test('modules without a comment, with another kind and with a word alone are reported', () => {
  const files = sampleTree({
    'packages/queue/src/a.ts': `import { x } from './b.ts';\n${comment}`,
    'packages/queue/src/b.tsx': `// ${comment}`,
    'tools/c.mjs': '/** Starts. */\nrun();',
  });

  assert.deepEqual(
    moduleComments(files).map((found) => found.path),
    ['packages/queue/src/a.ts', 'packages/queue/src/b.tsx', 'tools/c.mjs'],
  );
});

test('commented modules, public indexes and tests are not reported', () => {
  const files = sampleTree({
    'packages/queue/src/a.ts': comment,
    'packages/cli/src/main.ts': `#!/usr/bin/env node\n${comment}`,
    'packages/queue/src/index.ts': `export * from './a.ts';`,
    'packages/queue/src/a.test.ts': `import test from 'node:test';`,
    'bench/src/placeholder.ts': 'export {};\n',
    'packages/queue/sql/a.sql': 'SELECT 1;',
  });

  assert.deepEqual(moduleComments(files), []);
});
