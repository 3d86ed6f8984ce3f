import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeFragments, deadCommands, deadScripts, decisionRecords, unmappedDocuments } from './documents.ts';
import { assertTidy, readTree, sampleTree } from './tree.ts';

const tree = readTree();
const record = '# 0001. A choice\n\n## Context\n\n## Decision\n\n## Alternatives\n\n## Consequences\n';

/** The subcommands of `rowlock`; undefined until the command line offers its table, so that none is judged yet. */
const subcommands: readonly string[] | undefined = undefined;

test('decision records have their form', () => {
  assertTidy(decisionRecords(tree));
});

test('documents show only commands that can be run', () => {
  assertTidy(deadCommands(tree, subcommands));
});

test('scripts of the workspace run files that exist', () => {
  assertTidy(deadScripts(tree));
});

test('the map of documents lists every document', () => {
  assertTidy(unmappedDocuments(tree));
});

test('fragments of the changelog have their form', () => {
  assertTidy(changeFragments(tree));
});

test('records that are too long, lack a heading or leave a gap are reported', () => {
  const files = sampleTree({
    'docs/decisions/0001-long.md': `${record}${'\n'.repeat(40)}end`,
    'docs/decisions/0002-order.md': record.replace('Context', 'Decision'),
    'docs/decisions/0004-gap.md': record,
    'docs/decisions/Notes.md': record,
  });

  assert.deepEqual(
    decisionRecords(files).map((found) => found.path),
    [
      'docs/decisions/0001-long.md',
      'docs/decisions/0002-order.md',
      'docs/decisions/0004-gap.md',
      'docs/decisions/Notes.md',
    ],
  );
});

test('a record of forty lines in its form is not reported', () => {
  const lines = record.trimEnd().split('\n').length;
  const files = sampleTree({ 'docs/decisions/0001-a.md': `${record}${'text\n'.repeat(40 - lines)}` });

  assert.deepEqual(decisionRecords(files), []);
});

test('scripts, files and subcommands that do not exist are reported where they are shown', () => {
  const files = sampleTree({
    'package.json': '{ "scripts": { "test": "node tools/test.mjs" } }',
    'tools/test.mjs': '',
    'README.md':
      'Run `npm test`, `npm start` and\n\n```sh\nnpm run gone\nnode tools/gone.mjs\nnpx rowlock gone --now\n```',
  });

  const found = deadCommands(files, ['dev']);

  assert.deepEqual(
    found.map(({ line, message }) => `${line} ${message}`),
    [
      `4 there is no script 'gone' in package.json`,
      '5 there is no file tools/gone.mjs',
      `6 rowlock has no subcommand 'gone'`,
      `1 there is no script 'start' in package.json`,
    ],
  );
});

test('commands that exist, built files, patterns and unknown tables are not reported', () => {
  const files = sampleTree({
    'package.json': '{ "scripts": { "test": "node --enable-source-maps tools/test.mjs" } }',
    'tools/test.mjs': '',
    'packages/queue/src/a.test.ts': '',
    'docs/a.md': '`npm test`, `node --test packages/queue/dist/a.test.js`, `node --test test/dist/*.js`, `rowlock fly`',
  });

  assert.deepEqual([...deadCommands(files), ...deadScripts(files)], []);
});

test('a script that runs a missing file is reported', () => {
  const files = sampleTree({ 'package.json': '{ "scripts": {\n"start": "node tools/start.mjs" } }' });

  assert.deepEqual(
    deadScripts(files).map(({ line, message }) => `${line} ${message}`),
    [`2 the script 'start' runs tools/start.mjs, which does not exist`],
  );
});

test('a document that the map leaves out is reported', () => {
  const files = sampleTree({
    'docs/README.md': '[a](how-to/a.md#first) [b](../CONTRIBUTING.md)',
    'docs/how-to/a.md': '',
    'docs/how-to/b.md': '',
  });

  assert.deepEqual(
    unmappedDocuments(files).map((found) => found.path),
    ['docs/how-to/b.md'],
  );
});

test('fragments with another kind or another name are reported', () => {
  const files = sampleTree({
    'changes/README.md': '# Fragments',
    'changes/resumable-downloads.md': 'Added: downloads resume.\n',
    'changes/new-things.md': 'New: things.\n',
    'changes/Some_Thing.md': 'Fixed: it.\n',
  });

  assert.deepEqual(
    changeFragments(files).map((found) => found.path),
    ['changes/new-things.md', 'changes/Some_Thing.md'],
  );
});
