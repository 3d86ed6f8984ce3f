/** Policies of an application call its functions, and those name its tables without a schema, at every step of a file. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startService, type TestService, until } from '@rowlock/test-harness';

let service: TestService;

before(async () => {
  service = await startService({ workers: false });
  await service.database.query(`
    CREATE TABLE public.members (person text, place text);
    INSERT INTO public.members VALUES ('ann', 'club'), ('ann', 'attic'), ('ann', '7');
    GRANT SELECT ON public.members TO authenticated;
    CREATE FUNCTION public.is_member(of_place text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
      BEGIN RETURN EXISTS (SELECT FROM members WHERE person = storage.caller_id() AND place = of_place); END $$;
    GRANT EXECUTE ON FUNCTION public.is_member(text) TO authenticated;
    INSERT INTO storage.buckets (id, owner_id) VALUES ('club', 'the house');
    INSERT INTO storage.buckets (id, owner_id, soft_delete_seconds) VALUES ('attic', 'the house', 3600);
    CREATE POLICY members_see ON storage.buckets FOR SELECT TO authenticated USING (public.is_member(id));
    CREATE POLICY members_read ON storage.objects FOR SELECT TO authenticated USING (public.is_member(bucket_id));
    CREATE POLICY members_create ON storage.objects FOR INSERT TO authenticated WITH CHECK (public.is_member(bucket_id));
    CREATE POLICY members_change ON storage.objects FOR UPDATE TO authenticated USING (public.is_member(bucket_id));
    CREATE POLICY members_delete ON storage.objects FOR DELETE TO authenticated USING (public.is_member(bucket_id));
    CREATE TABLE public.issue (id int PRIMARY KEY);
    INSERT INTO public.issue VALUES (7), (8);
    ALTER TABLE public.issue ENABLE ROW LEVEL SECURITY;
    CREATE POLICY members_read ON public.issue TO authenticated USING (public.is_member(id::text));
    GRANT SELECT ON public.issue TO authenticated;
    SELECT storage.attach_entity('public.issue');
  `);
});
after(() => service.stop());

async function statusOf(as: string, method: string, path: string, body?: string): Promise<number> {
  const answer = await service.fetch(`/storage/v1${path}`, { as, method, ...(body === undefined ? {} : { body }) });
  await answer.arrayBuffer();
  return answer.status;
}

async function askForUpload(as: string, entity: string): Promise<number> {
  const answer = await service.fetch('/rpc/request_upload_url', {
    as,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      p_entity_type: 'issue',
      p_entity_id: entity,
      p_file_name: 'a.txt',
      p_file_type: 'text/plain',
    }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

test('a member uploads, overwrites, reads, lists and deletes; nobody else does', async () => {
  const object = '/object/club/minutes.txt';

  const member = [
    await statusOf('ann', 'POST', object, 'first'),
    await statusOf('ann', 'PUT', object, 'second'),
    await statusOf('ann', 'GET', object),
  ];
  const other = [await statusOf('bob', 'POST', '/object/club/x.txt', 'x'), await statusOf('bob', 'GET', object)];
  const removed = [await statusOf('ann', 'DELETE', object), await statusOf('ann', 'GET', object)];

  assert.deepEqual(member, [201, 200, 200]);
  assert.deepEqual(other, [404, 404]);
  assert.deepEqual(removed, [200, 404]);
});

test('a member restores what was deleted', async () => {
  const object = '/object/attic/chair.txt';
  assert.equal(await statusOf('ann', 'POST', object, 'old'), 201);
  assert.equal(await statusOf('ann', 'DELETE', object), 200);

  const restored = await statusOf('ann', 'POST', '/object/restore/attic/chair.txt');

  assert.equal(restored, 200);
  assert.equal(await statusOf('ann', 'GET', object), 200);
});

test('a member attaches a file to a row that only members see', async () => {
  assert.equal(await askForUpload('ann', '7'), 200);
  assert.equal(await askForUpload('ann', '8'), 403);
  assert.equal(await askForUpload('bob', '7'), 403);
});

test('the path for such functions is the one that the login role was given', async () => {
  await service.database.query(
    'CREATE SCHEMA club; ALTER TABLE public.members SET SCHEMA club; GRANT USAGE ON SCHEMA club TO authenticated',
  );
  const unqualified = await statusOf('ann', 'POST', '/object/club/elsewhere.txt', 'x');
  const [here] = await service.database.query<{ name: string }>('SELECT current_database() AS name');
  await service.database.query(`ALTER DATABASE "${here?.name}" SET storage.search_path = 'public, club, pg_temp'`);
  await service.database.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rowlock_authenticator' AND datname = current_database()",
  );

  const configured = await until(
    async () => {
      const status = await statusOf('ann', 'POST', '/object/club/elsewhere.txt', 'x');
      return status === 503 ? undefined : status;
    },
    { what: 'the service has connected again' },
  );

  assert.equal(unqualified, 500);
  assert.equal(configured, 201);
});
