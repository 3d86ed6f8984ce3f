/**
 * What another caller may do, as the service role is told: the same that the caller then meets, with every policy's word,
 * and nothing of it stays. Nobody else is told anything.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AccessExplanation, CallerFacts, JudgedPolicy, PolicyText } from '@rowlock/client/contract';
import { signToken, startService, type TestService } from '@rowlock/test-harness';

let service: TestService;
const json = { 'content-type': 'application/json' };

before(async () => {
  service = await startService({ workers: false });
  for (const [name, settings] of [
    ['private-one', {}],
    ['open-one', { policy: 'public', versioning: 'on' }],
  ] as const) {
    const body = JSON.stringify({ name, ...settings });
    assert.equal(
      (await service.fetch('/storage/v1/bucket', { as: 'ann', method: 'POST', headers: json, body })).status,
      201,
    );
    const put = { as: 'ann', method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'a note' };
    assert.equal((await service.fetch(`/storage/v1/object/${name}/notes/a.txt`, put)).status, 201);
  }
});
after(() => service?.stop());

function ask(question: Readonly<Record<string, unknown>>, as = 'service'): Promise<Response> {
  const body = JSON.stringify({ bucket: 'private-one', name: 'notes/a.txt', ...question });
  return service.fetch('/storage/v1/access/explain', { as, method: 'POST', headers: json, body });
}

async function explained(question: Readonly<Record<string, unknown>>): Promise<AccessExplanation> {
  const answer = await ask(question);
  assert.equal(answer.status, 200, await answer.clone().text());
  return (await answer.json()) as AccessExplanation;
}

function outcomes({ attempts }: AccessExplanation, kind: 'action' | 'command'): Record<string, string> {
  return Object.fromEntries(attempts.filter((each) => each.kind === kind).map((each) => [each.attempt, each.outcome]));
}

function said({ policies }: AccessExplanation, name: string): JudgedPolicy | undefined {
  return policies.find((policy) => policy.name === name);
}

/** Rows of everything that a write leaves behind. */
async function everything(): Promise<readonly Record<string, unknown>[]> {
  return service.database.query(`
    SELECT (SELECT jsonb_agg(o ORDER BY o.id) FROM storage.objects AS o) AS objects,
      (SELECT count(*) FROM storage.object_history) AS history, (SELECT count(*) FROM storage.changes) AS changes,
      (SELECT count(*) FROM storage.audit_log) AS audited, (SELECT count(*) FROM metadata.river_job) AS jobs,
      (SELECT count(*) FROM storage.uploads) AS uploads, (SELECT count(*) FROM storage.versions) AS versions,
      (SELECT jsonb_agg(s ORDER BY s.account_id, s.shard) FROM storage.quota_shards AS s) AS quotas`);
}

test('an owner may do everything with what is theirs, and a stranger nothing', async () => {
  const owner = await explained({ role: 'authenticated', subject: 'ann' });
  const stranger = await explained({ role: 'authenticated', subject: 'bob' });

  const all = (outcome: string, attempts: readonly string[]): Record<string, string> =>
    Object.fromEntries(attempts.map((attempt) => [attempt, outcome]));
  assert.deepEqual(outcomes(owner, 'action'), {
    ...all('allowed', ['see_bucket', 'read', 'sign', 'overwrite', 'move', 'delete']),
    upload: 'not_applicable',
  });
  assert.deepEqual(outcomes(owner, 'command'), all('allowed', ['select', 'insert', 'update', 'delete']));
  assert.deepEqual(outcomes(stranger, 'action'), {
    ...all('refused', ['see_bucket', 'read', 'sign', 'overwrite', 'move', 'delete']),
    upload: 'not_applicable',
  });
  assert.deepEqual(outcomes(stranger, 'command'), all('refused', ['select', 'insert', 'update', 'delete']));
  assert.equal(stranger.object?.owner_id, 'ann');
});

test('each policy says what it says of this row and this caller', async () => {
  const owner = await explained({ role: 'authenticated', subject: 'ann' });
  const stranger = await explained({ role: 'authenticated', subject: 'bob', bucket: 'open-one' });

  assert.deepEqual(said(owner, 'objects_read')?.using, { value: 'true' });
  assert.deepEqual(said(owner, 'objects_create')?.check, { value: 'true' });
  assert.deepEqual(said(stranger, 'objects_read')?.using, { value: 'true' });
  assert.deepEqual(said(stranger, 'objects_delete')?.using, { value: 'false' });
  assert.deepEqual(said(stranger, 'objects_create')?.check, { value: 'false' });
  assert.match(
    said(owner, 'objects_read')?.definition ?? '',
    /^CREATE POLICY objects_read ON storage\.objects FOR SELECT/,
  );
  assert.equal(said(owner, 'objects_service'), undefined, 'a policy of another role is not asked');
});

test('nothing that was tried stays', async () => {
  const before = await everything();

  await explained({ role: 'authenticated', subject: 'ann', bucket: 'open-one' });
  await explained({ role: 'service_role' });
  await explained({ role: 'authenticated', subject: 'ann', name: 'notes/new.txt' });

  assert.deepEqual(await everything(), before);
});

test('of a name that nothing has, it says whether they may upload', async () => {
  const owner = await explained({ role: 'authenticated', subject: 'ann', name: 'notes/new.txt' });
  const stranger = await explained({ role: 'authenticated', subject: 'bob', name: 'notes/new.txt' });

  assert.equal(owner.object, null);
  assert.equal(outcomes(owner, 'action')['upload'], 'allowed');
  assert.equal(outcomes(owner, 'action')['read'], 'not_applicable');
  assert.equal(outcomes(stranger, 'action')['upload'], 'refused');
});

test('policies of an application are tried as its callers, with what they raise and what they restrict', async () => {
  await service.database.query(`
    CREATE FUNCTION public.is_open(object storage.objects) RETURNS boolean LANGUAGE sql STABLE AS
      $$ SELECT object.name <> 'notes/closed.txt' AND current_user = 'authenticated' $$;
    CREATE FUNCTION public.writes_when_asked() RETURNS boolean LANGUAGE plpgsql VOLATILE AS
      $$ BEGIN UPDATE storage.objects SET user_metadata = '{"asked": true}' WHERE owner_id = storage.caller_id(); RETURN false; END $$;
    CREATE POLICY "a strict one" ON storage.objects AS RESTRICTIVE FOR SELECT TO authenticated USING (public.is_open(objects));
    CREATE POLICY raising ON storage.objects FOR DELETE TO anon USING (1 / length(left(name, 0)) = 1);
    CREATE POLICY writing ON storage.objects FOR DELETE TO authenticated USING (public.writes_when_asked());
    CREATE POLICY undecided ON storage.objects FOR UPDATE TO anon USING (owner_id = storage.claim('nothing'));`);
  const before = await everything();

  const owner = await explained({ role: 'authenticated', subject: 'ann' });
  const nobody = await explained({ role: 'anon', bucket: 'open-one' });
  await service.database.query(`DROP POLICY "a strict one" ON storage.objects; DROP POLICY raising ON storage.objects;
    DROP POLICY writing ON storage.objects; DROP POLICY undecided ON storage.objects`);

  assert.deepEqual(await everything(), before, 'what a policy writes is taken back');
  assert.deepEqual(said(owner, 'a strict one')?.using, { value: 'true' });
  assert.equal(said(owner, 'a strict one')?.permissive, false);
  assert.deepEqual(said(owner, 'writing')?.using, { value: 'false' });
  assert.equal(said(nobody, 'raising')?.using?.value, 'error');
  assert.match(said(nobody, 'raising')?.using?.error ?? '', /division by zero/);
  assert.equal(outcomes(nobody, 'action')['delete'], 'failed');
  assert.deepEqual(said(nobody, 'undecided')?.using, { value: 'null' });
  assert.equal(outcomes(nobody, 'command')['update'], 'refused');
});

test('an operation is what policies see that ask for it', async () => {
  await service.database.query(`CREATE POLICY no_links ON storage.objects AS RESTRICTIVE FOR SELECT TO authenticated
    USING (NOT storage.allow_only_operation('object.sign'))`);

  const owner = await explained({ role: 'authenticated', subject: 'ann' });
  await service.database.query('DROP POLICY no_links ON storage.objects');

  assert.deepEqual([outcomes(owner, 'action')['read'], outcomes(owner, 'action')['sign']], ['allowed', 'refused']);
});

test('only the service role is told', async () => {
  const asked = { role: 'authenticated', subject: 'ann' };

  const statuses = await Promise.all([
    ask(asked, 'ann').then(({ status }) => status),
    service.fetch('/storage/v1/access/policies', { as: 'ann' }).then(({ status }) => status),
    service.fetch('/storage/v1/access/policies').then(({ status }) => status),
  ]);

  assert.deepEqual(statuses, [403, 403, 401]);
});

test('what is asked about is what a caller can be', async () => {
  const answers = await Promise.all([
    ask({ role: 'rowlock_owner' }),
    ask({ role: 'rowlock_authenticator' }),
    ask({ role: `authenticated'; DROP TABLE storage.objects; --` }),
    ask({ role: 'authenticated', claims: { deep: '\u0000' } }),
    ask({ role: 'authenticated', bucket: "no'such" }),
  ]);
  const texts = await Promise.all(answers.map((answer) => answer.text()));

  assert.deepEqual(
    answers.map(({ status }) => status),
    [400, 400, 400, 400, 404],
  );
  assert.match(texts[0] ?? '', /they have one of: anon, authenticated, service_role/);
  await assert.rejects(
    service.database.query(`SELECT storage.explain_access('postgres', '{}', 'private-one', 'a')`),
    (error: Error & { readonly code?: string }) => error.code === 'RWLCK' && error.message === 'invalid_request',
  );
});

test('a session that runs SQL as somebody else is refused too', async () => {
  const refusals = await Promise.all(
    ['anon', 'authenticated'].map((role) =>
      assert.rejects(
        service.database.query(
          `SET ROLE ${role}; SELECT storage.explain_access('service_role', '{}', 'private-one', 'a')`,
        ),
        /permission denied/,
      ),
    ),
  );

  assert.equal(refusals.length, 2);
});

test('policies are shown as SQL that PostgreSQL takes', async () => {
  const shown = (await (await service.fetch('/storage/v1/access/policies', { as: 'service' })).json()) as {
    readonly roles: readonly string[];
    readonly policies: readonly PolicyText[];
  };
  const one = shown.policies.find(({ name }) => name === 'objects_change');

  await service.database.query(`BEGIN; DROP POLICY objects_change ON storage.objects; ${one?.definition} ROLLBACK`);

  assert.deepEqual(shown.roles, ['anon', 'authenticated', 'service_role']);
  assert.ok(shown.policies.length > 10);
});

test('a caller is told who they are', async () => {
  const who = async (as?: string): Promise<CallerFacts> =>
    (await (await service.fetch('/storage/v1/caller', as === undefined ? {} : { as })).json()) as CallerFacts;

  const [ann, itself, nobody] = [await who('ann'), await who('service'), await who()];

  assert.deepEqual(
    { ...ann, expires_at: null },
    { role: 'authenticated', subject: 'ann', is_service: false, expires_at: null },
  );
  assert.ok(Date.parse(ann.expires_at ?? '') > Date.now());
  assert.deepEqual([itself.role, itself.is_service], ['service_role', true]);
  assert.deepEqual(nobody, { role: 'anon', subject: null, is_service: false, expires_at: null });
  const authorization = `Bearer ${await signToken({ sub: 'ann', role: 'authenticated', exp: 9_999_999_999_999 })}`;
  const endless = await service.fetch('/storage/v1/caller', { headers: { authorization } });
  assert.equal(((await endless.json()) as CallerFacts).expires_at, null, 'later than any date is never');
});
