import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Machine, machinePaths, registryHosts, secretStrings } from './traces.ts';
import { assertTidy, readTree, sampleTree } from './tree.ts';

const tree = readTree();
const machine: Machine = { folders: ['/workshop/rowlock'], hosts: ['registry.invented.example'] };
const joined = (...parts: string[]): string => parts.join('');

test('no file holds a path of one machine', () => {
  assertTidy(machinePaths(tree));
});

test('no file holds the host of a package registry', () => {
  assertTidy(registryHosts(tree));
});

test('no file holds what looks like a secret', () => {
  assertTidy(secretStrings(tree));
});

test('paths of this machine and of anyone are reported', () => {
  const files = sampleTree({
    'a.md': `one\ncd ${joined('/workshop', '/rowlock/packages')}`,
    'b.json': `{"path": "${joined('/ho', 'me/somebody/project')}"}`,
    'c.sh': joined('cp x /Us', 'ers/Somebody/Desktop/y'),
    'd.txt': joined('C:', '\\Users\\somebody\\code'),
  });

  assert.deepEqual(
    machinePaths(files, machine).map((found) => `${found.path}:${found.line}`),
    ['a.md:2', 'b.json:1', 'c.sh:1', 'd.txt:1'],
  );
});

test('the same words inside another path are not reported', () => {
  const files = sampleTree({
    'a.md': `https://example.com/workshop/rowlock/ and packages/workshop/rowlock/x and \${dir}/home/you/x`,
    Dockerfile: `WORKDIR ${joined('/ho', 'me/node/app')}`,
  });

  assert.deepEqual(machinePaths(files, machine), []);
});

test('hosts of registries, URLs in the lock file and registry settings are reported', () => {
  const files = sampleTree({
    'a.yml': 'url: https://registry.invented.example/pg',
    'package-lock.json': '{\n"resolved": "packages/cli",\n"resolved": "https://somewhere.example/pg.tgz"\n}',
    '.npmrc': 'fund=false\nregistry=https://somewhere.example/',
  });

  assert.deepEqual(
    registryHosts(files, machine).map((found) => `${found.path}:${found.line}`),
    ['a.yml:1', 'package-lock.json:3', '.npmrc:2'],
  );
});

test('secrets are reported, and the documented examples of AWS are not', () => {
  const files = sampleTree({
    'a.ts': `const id = '${joined('AK', 'IA', 'QWERTYUIOPASDFGH')}';`,
    'b.pem': joined('-----BEGIN EC PRIV', 'ATE KEY-----'),
    'c.test.ts': joined('-----BEGIN PRIV', 'ATE KEY-----'),
    'd.md': `token ${joined('gh', 'p_', 'a'.repeat(36))}`,
    'e.test.ts': 'AKIAIOSFODNN7EXAMPLE',
  });

  assert.deepEqual(
    secretStrings(files).map((found) => found.path),
    ['a.ts', 'd.md', 'b.pem'],
  );
});
