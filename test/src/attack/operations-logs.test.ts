/** Row 121 of the list of attacks: what of a secret is left behind in logs, metrics and errors. Nothing. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { createLog, type Observation } from '@rowlock/server';
import { jwtSecret, until } from '@rowlock/test-harness';
import { handSigned, sendPlainly } from './hand-signed-url.ts';
import { type Attacked, assertSaysNothing, attacked } from './standing.ts';

const lines: string[] = [];
let open: Attacked;

before(async () => {
  const log = createLog({ level: 'debug', write: (line) => void lines.push(line) });
  open = await attacked({ observe: (observation) => log(observation as Observation) });
  await open.send('POST', '/storage/v1/bucket', { name: 'vault' }, 'olivia');
  await open.service.fetch('/storage/v1/object/vault/a.txt', { as: 'olivia', method: 'POST', body: 'a' });
  await open.remember();
});
afterEach(() => open.assertUnharmed());
after(() => open.stop());

/** Everything that was written down: logs, and metrics. */
async function writtenDown(): Promise<string> {
  return lines.join('') + (await (await open.service.fetch('/metrics')).text());
}

test('121 no token, signature or secret is in logs or metrics, after requests that succeed and that fail', async () => {
  const { access_key_id, secret_access_key } = open.service.config.backend;
  const signed = await open.send('POST', '/storage/v1/object/sign/vault/a.txt', {}, 'olivia');
  const { url } = (await signed.json()) as { readonly url: string };
  const urlToken = new URL(url).searchParams.get('token') ?? '';
  const ask = { p_entity_type: 'note', p_entity_id: '1', p_file_name: 'a.txt', p_file_type: 'text/plain' };
  const id = (await (await open.send('POST', '/rpc/request_upload_url', ask, 'olivia')).json()) as string;
  const presigned = await until(async () => {
    const rows = await open.database.query<{ presigned_url: string | null }>(
      'SELECT presigned_url FROM metadata.file_upload_requests WHERE id = $1',
      [id],
    );
    return rows[0]?.presigned_url;
  });
  const host = new URL(open.service.url).host;
  const hand = handSigned({ method: 'GET', path: '/civic-os-files/objects/x', host, access_key_id, secret_access_key });
  const { olivia, expired, service } = open.tokens;
  const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });

  for (const path of [
    '/storage/v1/object/vault/a.txt',
    '/storage/v1/bucket',
    '/rpc/get_file_storage_stats',
    '/nowhere',
    '/healthz',
  ]) {
    for (const token of [olivia, expired, service, `${olivia}x`]) await open.service.fetch(path, bearer(token));
    await open.service.fetch(`${path}?access_token=${olivia}`, {
      headers: { referer: url, cookie: `token=${olivia}` },
    });
  }
  await open.service.fetch(url);
  await open.service.fetch(`${url}x`);
  await open.service.fetch(url.replace('a.txt', 'b.txt'));
  await fetch(presigned.replace('a.txt', 'b'), { method: 'PUT', body: 'x' });
  await fetch(presigned, { method: 'PUT', headers: { 'content-type': 'text/html' }, body: 'x' });
  await sendPlainly(open.service.url, { method: 'GET', path: hand });
  await open.remember();

  const text = await writtenDown();
  assert.ok(lines.length > 20, `a control: ${lines.length} lines were written`);
  const secrets = [
    jwtSecret,
    secret_access_key,
    open.service.config.signed_urls.current.secret,
    urlToken,
    olivia,
    expired,
    service,
  ];
  const parts = secrets.flatMap((secret) => secret.split('.').filter((part) => part.length > 24));
  const signatures = [presigned, hand].map((each) => /X-Amz-Signature=(\w{64})/.exec(each)?.[1] ?? '');
  for (const secret of [...parts.filter((part) => !part.startsWith('eyJhbGci')), ...signatures]) {
    assert.ok(secret.length > 20 && !text.includes(secret), `${secret.slice(0, 12)}… was written down`);
  }
  assert.doesNotMatch(text, /X-Amz-|Bearer |password|postgres:\/\//i);
});

test('121 metrics name no bucket, object, user or path', async () => {
  await open.service.fetch('/storage/v1/object/vault/a.txt', { as: 'olivia' });
  await open.service.fetch('/storage/v1/object/secret-bucket/secret-name', { as: 'mallory' });

  const text = await (await open.service.fetch('/metrics')).text();

  assert.match(text, /# TYPE /, 'a control');
  assert.doesNotMatch(text, /vault|a\.txt|secret|olivia|mallory/);
});

test('121 what a client sends cannot forge a line of the log', async () => {
  const forged = '\n{"level":50,"msg":"forged"}\n';
  const before = lines.length;
  for (const path of [
    `/storage/v1/object/vault/${encodeURIComponent(forged)}`,
    `/storage/v1/bucket/${encodeURIComponent(forged)}`,
    `/rpc/${encodeURIComponent(forged)}`,
    `/${encodeURIComponent(forged)}`,
  ]) {
    await open.service.fetch(path, {
      as: 'olivia',
      headers: { 'user-agent': 'a\u0085b', 'x-request-id': '{"msg":"forged"}' },
    });
  }

  const written = await until(() => (lines.length >= before + 4 ? lines.slice(before) : undefined));
  for (const line of written) {
    assert.match(line, /^[^\n]+\n$/);
    const { msg, request_id } = JSON.parse(line) as { readonly msg: string; readonly request_id: string };
    assert.notEqual(msg, 'forged');
    assert.doesNotMatch(request_id, /forged/, 'a request id with other characters than ids have is not taken');
  }
});

test('121 an error of ours is in the log with its cause, and in the answer without', async () => {
  await open.database.query('ALTER FUNCTION storage.may_upload(text, text, jsonb, boolean) RENAME TO may_upload_away');
  const before = lines.length;

  const answer = await open.service.fetch('/storage/v1/object/vault/b.txt', {
    as: 'olivia',
    method: 'POST',
    headers: { 'x-request-id': 'from-the-test' },
    body: 'b',
  });

  await open.database.query('ALTER FUNCTION storage.may_upload_away(text, text, jsonb, boolean) RENAME TO may_upload');
  const text = await answer.text();
  assert.equal(answer.status, 500);
  assertSaysNothing(text);
  assert.doesNotMatch(text, /may_upload|function|storage/);
  const line = lines.slice(before).find((each) => each.includes('internal error'));
  assert.match(line ?? '', /may_upload.*from-the-test|from-the-test.*may_upload/s);
  assert.ok(
    !lines
      .slice(before)
      .join('')
      .includes(open.tokens.olivia.split('.')[2] ?? ' '),
  );
  assert.equal(open.internalErrors.splice(0).length, 1);
});
