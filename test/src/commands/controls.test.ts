/** The runner of negative controls, on a workspace of one module: it tells guards that are watched from those that are not. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '@rowlock/test-harness';
import { runTool } from './small-clone.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

const limit = `export function accept(size: number): boolean {
  // a comment
  if (size > 10) return false;
  if (size < 0) throw new RangeError('negative');
  return size !== 7;
}
`;
const limitTest = `import { before, describe, test } from 'node:test';
import { accept } from './limit.js';
const assert = (isTrue: boolean): void => {
  if (!isTrue) throw new Error('refuted');
};
before(() => assert(accept(1)));
describe('a size', () => {
  test('over the limit is refused', () => assert(!accept(11)));
  test('of seven is odd', () => assert(accept(7)));
  test('waits for eight', () => accept(8) ? undefined : new Promise(() => undefined));
});
`;

const edit = (guard: string, find: string, replace: string, name = 'a size > over the limit is refused') => ({
  guard,
  file: 'packages/a/src/limit.ts',
  find,
  replace,
  test: 'packages/a/src/limit.test.ts',
  name,
});
const controls = [
  edit('seen to', 'size > 10', 'size > 100'),
  edit('overlooked', '// a comment', '// another'),
  edit('not compiled', 'size > 10', 'size > none'),
  edit('not there', 'size > 1000', 'false'),
  edit('there twice', 'size', 'length'),
  edit('without a test', 'size > 10', 'false', 'a size > over the moon'),
  edit('with a failing test', 'size > 10', 'false', 'of seven is odd'),
  edit('with the setup broken', 'return size !== 7;', 'return false;'),
  edit('waited for in vain', 'size !== 7', 'size === 1', 'a size > waits for eight'),
  { ...edit('of no file', 'size > 10', 'false'), file: 'packages/a/src/gone.ts' },
];

let folder: string;

function write(path: string, content: string | object): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content));
}

before(() => {
  folder = temporaryFolder();
  cpSync(join(root, 'tools'), join(folder, 'tools'), { recursive: true });
  const options = { composite: true, module: 'NodeNext', rootDir: 'src', outDir: 'dist', types: [], target: 'ES2022' };
  write('package.json', { name: 'small', private: true, type: 'module', workspaces: ['packages/*'] });
  write('tsconfig.json', { files: [], references: [{ path: 'packages/a' }] });
  write('packages/a/package.json', { name: 'a', type: 'module' });
  write('packages/a/tsconfig.json', { compilerOptions: options, include: ['src'] });
  write('packages/a/src/limit.ts', limit);
  write('packages/a/src/limit.test.ts', limitTest);
  const runs = [
    'before(run: () => void)',
    'describe(name: string, run: () => void)',
    'test(name: string, run: () => unknown)',
  ];
  write(
    'packages/a/src/node-test.d.ts',
    `declare module 'node:test' {\n${runs.map((run) => `  export function ${run}: void;\n`).join('')}}\n`,
  );
  write('test/controls/small.json', controls);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(root, 'node_modules', 'typescript'), join(folder, 'node_modules', 'typescript'));
});

test('each control is judged, and one that does not hold fails the campaign', () => {
  const report = join(folder, 'report.json');

  const { status, output } = runTool(folder, 'controls.mjs', '--json', report);

  const results: { guard: string; verdict: string }[] = JSON.parse(readFileSync(report, 'utf8')).results;
  assert.deepEqual(Object.fromEntries(results.map(({ guard, verdict }) => [guard, verdict])), {
    'seen to': 'holds',
    overlooked: 'toothless',
    'not compiled': 'does not compile',
    'not there': 'text not found once',
    'there twice': 'text not found once',
    'without a test': 'no such test',
    'with a failing test': 'fails unedited',
    'with the setup broken': 'breaks the setup',
    'waited for in vain': 'holds',
    'of no file': 'no such file',
  });
  assert.equal(status, 1, output);
  assert.match(output, /toothless: small: overlooked/);
});

test('controls that hold pass, the sources stay as they were, and the copy is gone', () => {
  const tmp = temporaryFolder();
  process.env['TMPDIR'] = tmp;

  const chosen = runTool(folder, 'controls.mjs', '--only', 'seen to', '--area', 'small');
  const none = runTool(folder, 'controls.mjs', '--area', 'large');
  delete process.env['TMPDIR'];

  assert.equal(chosen.status, 0, chosen.output);
  assert.match(chosen.output, /1 of 1 hold/);
  assert.equal(none.status, 1);
  assert.match(none.output, /No control was chosen/);
  assert.equal(readFileSync(join(folder, 'packages/a/src/limit.ts'), 'utf8'), limit);
  assert.equal(existsSync(join(folder, 'packages/a/dist')), false);
  assert.deepEqual(readdirSync(tmp), []);
});
