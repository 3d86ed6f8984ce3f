import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '@rowlock/test-harness';
import { checkSecrets } from './exposure-checks.ts';
import { Settings } from './options.ts';
import { serverConfig, workerConfig } from './service-config.ts';
import { UsageError } from './usage-error.ts';

const secrets = {
  one: 'The1stSecretOfSignedUrls/IsLongEnough+==',
  two: 'The2ndSecretOfSignedUrls/IsLongEnough+==',
  three: 'The3rdSecretOfSignedUrls/IsLongEnough+==',
} as const;
const complete = {
  DATABASE_URL: 'postgres://localhost/x',
  JWT_SECRET: 'AnotherSecret-OfMoreThan-32-Characters',
  SIGNED_URL_SECRET: secrets.one,
  STORAGE_ROOT: '/nowhere',
  S3_ACCESS_KEY_ID: 'KEY',
  S3_SECRET_ACCESS_KEY: 'YetAnotherSecret-OfMoreThan-32-Characters',
};
const configOf = (env: Readonly<Record<string, string>>) => serverConfig(new Settings({}, { ...complete, ...env }));

test('several secrets verify signed URLs: separated by commas, spaces or lines, or one on a line of a file', () => {
  const file = join(temporaryFolder(), 'previous');
  writeFileSync(file, `${secrets.two}\n${secrets.three}\n`);

  const none = configOf({}).signed_urls;
  const listed = configOf({ SIGNED_URL_PREVIOUS_SECRET: ` ${secrets.two}, ${secrets.three}` }).signed_urls;
  const filed = configOf({ SIGNED_URL_PREVIOUS_SECRET_FILE: file }).signed_urls;

  assert.deepEqual(none.previous, []);
  assert.deepEqual(
    listed.previous?.map(({ secret }) => secret),
    [secrets.two, secrets.three],
  );
  assert.deepEqual(filed, listed);
  assert.equal(new Set([listed.current, ...(listed.previous ?? [])].map(({ id }) => id)).size, 3);
});

test('a key keeps its id in every place, so that a rotation loses no URL', () => {
  const before = configOf({ SIGNED_URL_PREVIOUS_SECRET: secrets.two }).signed_urls;
  const after = configOf({ SIGNED_URL_SECRET: secrets.two, SIGNED_URL_PREVIOUS_SECRET: secrets.one }).signed_urls;

  assert.deepEqual([after.current, after.previous?.[0]], [before.previous?.[0], before.current]);
});

test('a weak secret among those that verify is refused, and told of', () => {
  const env = { SIGNED_URL_PREVIOUS_SECRET: `${secrets.two},short` };

  const found = checkSecrets(new Settings({}, { ...complete, ...env }));

  assert.throws(() => configOf(env), UsageError);
  assert.deepEqual(
    found.filter(({ check }) => check === 'signed-url-previous-secret').map(({ state }) => state),
    ['ok', 'fail'],
  );
});

test('one of several secrets that is another setting’s too is told of', () => {
  const env = { SIGNED_URL_PREVIOUS_SECRET: `${secrets.two},${complete.JWT_SECRET}` };

  const found = checkSecrets(new Settings({}, { ...complete, ...env }));

  assert.ok(found.some(({ check, says }) => check === 'signed-url-previous-secret' && /same as another/.test(says)));
});

test('a proxy is an address or a range of them', () => {
  assert.deepEqual(configOf({ TRUSTED_PROXIES: '10.0.0.0/8, ::1' }).trusted_proxies, ['10.0.0.0/8', '::1']);
  for (const wrong of ['proxy', '10.0.0.0/33', '*']) {
    assert.throws(() => configOf({ TRUSTED_PROXIES: wrong }), UsageError, wrong);
  }
});

test('an upload ACL is none unless it is named, and one that lets others write is refused', () => {
  const aclOf = (env: Readonly<Record<string, string>>) =>
    workerConfig(new Settings({}, { ...complete, ...env })).upload_acl;

  assert.equal(aclOf({}), undefined);
  assert.equal(aclOf({ S3_UPLOAD_ACL: 'none' }), undefined);
  assert.equal(aclOf({ S3_UPLOAD_ACL: 'public-read' }), 'public-read');
  for (const wrong of ['public-read-write', 'Public-Read', 'yes']) {
    assert.throws(() => aclOf({ S3_UPLOAD_ACL: wrong }), UsageError, wrong);
  }
});
