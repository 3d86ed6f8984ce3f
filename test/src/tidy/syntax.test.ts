import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportsOf, importsOf } from './modules.ts';
import { type Syntax, syntaxOf, withoutLiterals } from './syntax.ts';
import { sampleTree } from './tree.ts';

function parsed(text: string, path = 'a.ts'): Syntax {
  const [syntax] = syntaxOf(sampleTree({ [path]: text }));
  assert.ok(syntax);
  return syntax;
}

test('literals are blanked in every quote and offsets stay', () => {
  const text = `const a = "x\\"y"; // "kept"\nconst b = \`p\${q}r\ns\`;\nconst c = /["\`]/.test(\`😀\`);\n`;

  const blanked = withoutLiterals(parsed(text));

  assert.equal(blanked.length, text.length);
  assert.match(blanked, /^const a = {7}; \/\/ "kept"\nconst b = {5}q {2}\n {2};\nconst c = {7}\.test\( {4}\);\n$/);
});

test('code in a template and in JSX is still code', () => {
  const blanked = withoutLiterals(parsed(`const a = <p title="x">gone {\`y\${kept}\`}</p>;`, 'a.tsx'));

  assert.match(blanked, /kept/);
  assert.doesNotMatch(blanked, /gone|x"|y/);
});

test('every way to refer to a module is found', () => {
  const text = [
    `import { a as b, type C } from './one.ts';`,
    `import * as all from 'two';`,
    `import './three.ts';`,
    `export { d } from './four.ts';`,
    `export * from './five.ts';`,
    `const e = await import('./six.ts');`,
    `type F = import('./seven.ts').F;`,
    `new Worker(new URL('./eight.js', import.meta.url));`,
    `const text = "import { x } from './nine.ts'"; // import './ten.ts'`,
  ].join('\n');

  const imports = importsOf(parsed(text));

  assert.deepEqual(imports, [
    { specifier: './one.ts', names: ['a', 'C'], line: 1 },
    { specifier: 'two', names: 'all', line: 2 },
    { specifier: './three.ts', names: [], line: 3 },
    { specifier: './four.ts', names: ['d'], line: 4 },
    { specifier: './five.ts', names: 'all', line: 5 },
    { specifier: './six.ts', names: 'all', line: 6 },
    { specifier: './seven.ts', names: 'all', line: 7 },
    { specifier: './eight.js', names: 'all', line: 8 },
  ]);
});

test('every way to export a name is found, and what is not exported is not', () => {
  const text = [
    'export const a = 1, { b, c: [d] } = e;',
    'export async function f() {}',
    'export abstract class G {}',
    'export interface H {}',
    'export type I = 1;',
    'const j = 1;',
    'export { j as k };',
    `export { l } from './m.ts';`,
  ].join('\n');

  const exports = exportsOf(parsed(text)).map(({ name, isType }) => `${name}${isType ? ' (type)' : ''}`);

  assert.deepEqual(exports, ['a', 'b', 'd', 'f', 'G', 'H (type)', 'I (type)', 'k']);
});

test('text outside ASCII does not shift lines', () => {
  const [found] = importsOf(parsed(`// é😀\nconst a = '😀😀';\nimport './b.ts';\n`));

  assert.equal(found?.line, 3);
});
