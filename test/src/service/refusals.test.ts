/**
 * Refusals that explain: the service role and the log learn the command and the policies; everybody else learns what they
 * learned before.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertInvariants, startService, type TestService, until } from '@rowlock/test-harness';

interface Denied {
  readonly type: string;
  readonly request_id: string;
  readonly role: string;
  readonly subject: string | undefined;
  readonly explanation: string;
}

const seen: Denied[] = [];
let service: TestService;

before(async () => {
  service = await startService({ observe: (each) => void (each.type === 'denied' && seen.push(each as Denied)) });
  await create('victors', 'victor');
  await upload('victors/a', 'victor');
  await service.database.query(`
    CREATE POLICY nothing_on_fridays ON storage.objects AS RESTRICTIVE FOR DELETE TO service_role USING (false);
    DROP POLICY buckets_change ON storage.buckets;`);
});
after(async () => {
  await service.database.query('DROP POLICY nothing_on_fridays ON storage.objects');
  await assertInvariants(service);
  await service.stop();
});

const json = { 'content-type': 'application/json' };

async function create(name: string, as: string): Promise<Response> {
  const body = JSON.stringify({ name, policy: 'authenticated' });
  return service.fetch('/storage/v1/bucket', { as, method: 'POST', headers: json, body });
}

const upload = (path: string, as: string): Promise<Response> =>
  service.fetch(`/storage/v1/object/${path}`, { as, method: 'POST', body: 'x' });

test('the service role is told the command and the policies that it needs', async () => {
  const answer = await service.fetch('/storage/v1/object/victors/a', { as: 'service', method: 'DELETE' });
  const { message, reason } = (await answer.json()) as { readonly message: string; readonly reason: string };

  assert.equal(answer.status, 403);
  assert.equal(reason, 'not_allowed');
  assert.match(message, /DELETE needs one of objects_service, and all of nothing_on_fridays/);
  assert.match(message, /as service_role on storage\.objects/);
});

test('anybody else is told nothing of policies, and the log is told all, with the id of the request', async () => {
  const answer = await service.fetch('/storage/v1/object/victors/a', {
    as: 'mallory',
    method: 'DELETE',
    headers: { 'x-request-id': 'told-in-the-log' },
  });
  const { message } = (await answer.json()) as { readonly message: string };

  assert.equal(answer.status, 403);
  assert.doesNotMatch(message, /objects_|polic(y|ies) \w+_/);
  const denied = await until(() => seen.find(({ request_id }) => request_id === 'told-in-the-log'), {
    what: 'the denial is in the log',
  });
  assert.deepEqual([denied.role, denied.subject], ['authenticated', 'mallory']);
  assert.match(denied.explanation, /DELETE needs one of objects_delete/);
});

test('no door tells the name of a policy that restricts', async () => {
  const policy = `CREATE POLICY "the ""plan"" of victor" ON storage.objects AS RESTRICTIVE FOR INSERT TO authenticated`;
  await create('others', 'victor');
  await service.database.query(`${policy} WITH CHECK (false)`);
  const place = { bucketId: 'victors', sourceKey: 'a', sourcePrefix: '', destinationPrefix: 'b' };
  const file = { p_entity_type: 'issue', p_entity_id: '1', p_file_name: 'a', p_file_type: '' };
  const doors: readonly [method: string, path: string, body: object][] = [
    ['POST', '/storage/v1/object/victors/new', {}],
    ['PUT', '/storage/v1/object/victors/new', {}],
    ['POST', '/storage/v1/object/upload/sign/victors/new', {}],
    ['POST', '/storage/v1/object/copy', { ...place, destinationKey: 'b' }],
    ['POST', '/storage/v1/object/move', { ...place, destinationKey: 'b', destinationBucket: 'others' }],
    ['POST', '/storage/v1/object/copy-prefix', { ...place, destinationBucket: 'others' }],
    ['POST', '/storage/v1/object/move-prefix', { ...place, destinationBucket: 'others' }],
    ['POST', '/rpc/request_upload_url', file],
  ];

  const answers = await Promise.all(
    doors.map(async ([method, path, body]) => {
      const init = { as: 'victor', method, headers: json, body: JSON.stringify(body) };
      const answer = await service.fetch(path, init);
      return [path, answer.status, (await answer.text()).includes('plan')];
    }),
  );
  await service.database.query('DROP POLICY "the ""plan"" of victor" ON storage.objects');

  assert.deepEqual(
    answers,
    doors.map(([, path]) => [path, 403, false]),
  );
});

test('a command that no policy names is said to be refused altogether', async () => {
  const headers = { ...json, 'x-request-id': 'no-policy' };
  const body = JSON.stringify({ public: false });
  const answer = await service.fetch('/storage/v1/bucket/victors', { as: 'victor', method: 'PUT', headers, body });

  assert.equal(answer.status, 403);
  const denied = await until(() => seen.find(({ request_id }) => request_id === 'no-policy'), {
    what: 'it is in the log',
  });
  assert.match(denied.explanation, /storage\.buckets: no policy for UPDATE names the role/);
});

test('somebody without a token is asked for one, and nothing is explained', async () => {
  const before = seen.length;

  const answer = await service.fetch('/storage/v1/object/victors/a', { method: 'DELETE' });

  assert.equal(answer.status, 401);
  assert.equal(seen.length, before);
});
