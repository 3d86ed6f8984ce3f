/** The reference pages list exactly the routes, functions, error codes, job kinds and metrics that exist. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { errorSpellings } from '@rowlock/client/contract';
import { jobKindNames, rpcNames } from '@rowlock/server';
import { startService, type TestService } from '@rowlock/test-harness';
import { configurationReference } from 'rowlock';

const page = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../docs/reference/${name}.md`, import.meta.url)), 'utf8');

/** The first cells of the table rows of a page that look like the pattern. */
const firstCells = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(/^\| `([^`]+)` +\|/gm)]
    .map((match) => match[1] ?? '')
    .filter((cell) => pattern.test(cell))
    .sort();

let service: TestService;

before(async () => {
  service = await startService({ workers: false });
});
after(() => service.stop());

test('every route is described, and no other', async () => {
  const openapi = (await (await service.fetch('/openapi.json')).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };

  const routes = Object.entries(openapi.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );

  assert.deepEqual(firstCells(page('http-api'), /^[A-Z]+ \//), routes.sort());
});

test('every error is described with its status and code, and no other', () => {
  const rows = [...page('http-api').matchAll(/^\| `([a-z_]+)` +\| (\d{3}) +\| `(\w+)` +\|$/gm)].map(
    ([, reason, status, code]) => [reason, Number(status), code],
  );

  assert.deepEqual(
    rows,
    Object.entries(errorSpellings).map(([reason, { status, code }]) => [reason, status, code]),
  );
});

test('every function that can be called is named', () => {
  const [, listed = ''] = /## Functions\n\n(.+)\n/.exec(page('http-api')) ?? [];

  assert.deepEqual(
    [...listed.matchAll(/`(\w+)`/g)].map((match) => match[1]),
    rpcNames,
  );
});

test('every kind of job is described, and no other', () => {
  assert.deepEqual(firstCells(page('jobs'), /^(?!rowlock_)[a-z0-9]+(_[a-z]+)+$/), [...jobKindNames].sort());
});

test('every metric of ours is described, and no other', async () => {
  const text = await (await service.fetch('/metrics')).text();

  const metrics = [...text.matchAll(/^# TYPE (rowlock_\w+) /gm)].map((match) => match[1] ?? '');

  assert.deepEqual(firstCells(page('jobs'), /^rowlock_/), metrics.sort());
});

test('every option is described, and no other', () => {
  const cells = (text: string): string[] =>
    text.split('\n').map((line) => line.replace(/ *\| */g, '|').replace(/-+/g, '-'));

  assert.deepEqual(cells(page('configuration')), cells(configurationReference()));
});
