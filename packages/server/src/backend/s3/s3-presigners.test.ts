import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { newRoot } from '../disk/sample-store.ts';
import { openS3Backend, type S3Backend } from './s3-backend.ts';

/**
 * A backend without credentials of its own, in an environment with a web identity whose token service answers here: each
 * time another session, good for so many seconds.
 */
async function webIdentity(
  t: TestContext,
  validSeconds: () => number,
): Promise<{ backend: S3Backend; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      asked.push(body);
      const expiration = new Date(Date.now() + validSeconds() * 1000).toISOString();
      response.setHeader('content-type', 'text/xml');
      response.end(
        `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
        <AccessKeyId>ASIA${asked.length}</AccessKeyId><SecretAccessKey>secret-${asked.length}</SecretAccessKey>
        <SessionToken>session-${asked.length}</SessionToken><Expiration>${expiration}</Expiration>
        </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const token = path.join(await newRoot(t), 'token');
  await writeFile(token, 'a-token-of-the-cluster');
  const before = { ...process.env };
  for (const name of Object.keys(process.env).filter((each) => each.startsWith('AWS_'))) delete process.env[name];
  process.env['AWS_WEB_IDENTITY_TOKEN_FILE'] = token;
  process.env['AWS_ROLE_ARN'] = 'arn:aws:iam::123456789012:role/rowlock';
  process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
  process.env['AWS_ENDPOINT_URL_STS'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const backend = await openS3Backend({ bucket: 'files', region: 'eu-central-1' });
  t.after(async () => {
    process.env = before;
    await backend.close();
    server.close();
  });
  return { backend, asked };
}

const sessionOf = (url: string): string | null => new URL(url).searchParams.get('X-Amz-Security-Token');

test('URLs are signed with what a web identity gives, which is asked for once', async (t) => {
  const { backend, asked } = await webIdentity(t, () => 7200);

  const urls = await Promise.all([
    backend.presignGet('a/b', { expirySeconds: 3600 }),
    backend.presignPut('a/b', { expirySeconds: 60 }),
  ]);

  assert.ok(urls[0]?.startsWith('https://files.s3.eu-central-1.amazonaws.com/a/b?'));
  assert.deepEqual(urls.map(sessionOf), ['session-1', 'session-1']);
  assert.equal(asked.length, 1);
  assert.match(asked[0] ?? '', /WebIdentityToken=a-token-of-the-cluster/);
});

test('a URL that would outlive its credentials is signed with new ones, and these are not asked for again and again', async (t) => {
  const { backend, asked } = await webIdentity(t, () => 1800);

  const short = await backend.presignGet('a/b', { expirySeconds: 900 });
  const long = await backend.presignGet('a/b', { expirySeconds: 3600 });
  const again = await backend.presignGet('a/b', { expirySeconds: 3600 });

  assert.deepEqual([short, long, again].map(sessionOf), ['session-1', 'session-2', 'session-2']);
  assert.equal(asked.length, 2);
});

test('with credentials that have ended nothing is signed', async (t) => {
  const { backend } = await webIdentity(t, () => -1);

  await assert.rejects(backend.presignGet('a/b', { expirySeconds: 60 }), { reason: 'unavailable' });
});

test('a server without any credentials says so', async (t) => {
  const { backend } = await webIdentity(t, () => 7200);
  delete process.env['AWS_WEB_IDENTITY_TOKEN_FILE'];

  await assert.rejects(backend.presignGet('a/b', { expirySeconds: 60 }), {
    reason: 'unavailable',
    message: /no credentials/,
  });
  await assert.rejects(backend.check(), { reason: 'unavailable', message: /no credentials/ });
});

test('the signing keys of a day are those of the credentials that count, and of what is under the prefix', async (t) => {
  const { backend } = await webIdentity(t, () => 7200);

  const keys = await backend.signingKeys(['20261121', '20261122']);

  assert.deepEqual(
    keys.map(({ day, access_key_id, session_token }) => [day, access_key_id, session_token]),
    [
      ['20261121', 'ASIA1', 'session-1'],
      ['20261122', 'ASIA1', 'session-1'],
    ],
  );
});
