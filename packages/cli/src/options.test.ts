import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '@rowlock/test-harness';
import { masked } from './commands/config.ts';
import { configurationReference } from './configuration-reference.ts';
import { options, Settings } from './options.ts';
import { readArguments } from './read-arguments.ts';
import { UsageError } from './usage-error.ts';

test('a flag wins over a variable, and a variable over the default', () => {
  const source = (flags: Record<string, string>, env: Record<string, string>) =>
    new Settings(flags, env).all.find(({ option }) => option.name === 'port');

  assert.deepEqual([source({}, {})?.value, source({}, {})?.source], ['8000', 'default']);
  assert.deepEqual([source({}, { PORT: '1' })?.value, source({}, { PORT: '1' })?.source], ['1', 'PORT']);
  assert.deepEqual([source({ port: '2' }, { PORT: '1' })?.value], ['2']);
});

test('variables have an order: S3_* before AWS_*, a URL of its own before DATABASE_URL', () => {
  const settings = new Settings({}, { S3_REGION: 'a', AWS_REGION: 'b', DATABASE_URL: 'all', API_DATABASE_URL: 'api' });

  assert.equal(settings.text('s3-region'), 'a');
  assert.equal(settings.text('api-database-url'), 'api');
  assert.equal(settings.text('worker-database-url'), 'all');
});

test('a secret can be read from a file', () => {
  const file = join(temporaryFolder(), 'secret');
  writeFileSync(file, 'from-a-file\n');

  assert.equal(new Settings({}, { JWT_SECRET_FILE: file }).text('jwt-secret'), 'from-a-file');
  assert.throws(() => new Settings({}, { JWT_SECRET_FILE: `${file}-none` }), UsageError);
});

test('values outside their bounds are refused with their bounds', () => {
  for (const port of ['x', '-1', '70000', '1.5']) {
    assert.throws(() => new Settings({ port }, {}), /port must be a whole number from 0 to 65535/, port);
  }
});

test('secrets are masked, and a URL keeps what is no secret', () => {
  const setting = (name: string, value: string) => {
    const option = options.find((each) => each.name === name);
    assert.ok(option);
    return masked({ option, value, source: '' });
  };

  assert.equal(setting('jwt-secret', 'x'.repeat(40)), '(40 characters)');
  assert.equal(setting('database-url', 'postgres://user:pass@host/db'), 'postgres://user:***@host/db');
  assert.equal(setting('port', '8000'), '8000');
});

test('an unknown flag is a usage error that names it', () => {
  assert.throws(
    () => readArguments(['--nope'], {}, {}),
    (error) => error instanceof UsageError && /--nope/.test(error.message),
  );
});

test('every option is in the reference page once, and no secret has a default', () => {
  const page = configurationReference();

  for (const { name, secret, default: value } of options) {
    assert.equal(page.split(`\`--${name}\``).length, 2, name);
    assert.ok(!secret || value === undefined, name);
  }
});
