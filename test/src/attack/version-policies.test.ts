/**
 * Whom versions are shown to: the owner of the object, the owner of the bucket and the service, whatever the bucket's
 * policy, by every way to a version's bytes. Every other caller gets the same answer as for a version that never was.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { assertInvariants, startService, type TestService } from '@rowlock/test-harness';
import {
  makeBucket,
  page,
  put,
  read,
  remove,
  restore,
  sqlAs,
  sqlErrorOf,
  versions,
} from '../service/versioned-site.ts';

type Who = 'anonymous' | 'mallory' | 'olivia' | 'bertha' | 'service';

const policies = ['private', 'public', 'authenticated'] as const;
/** Olivia owns the object, bertha the bucket; mallory owns neither. */
const callers: readonly Who[] = ['anonymous', 'mallory', 'olivia', 'bertha', 'service'];
const sees: Readonly<Record<Who, boolean>> = {
  anonymous: false,
  mallory: false,
  olivia: true,
  bertha: true,
  service: true,
};
const asOf = (who: Who): string | undefined => (who === 'anonymous' ? undefined : who);

let service: TestService;

before(async () => {
  service = await startService({ workers: false });
  for (const policy of policies) await makeBucket(service, `v-${policy}`, { policy, versioning: 'on' });
});
after(() => service.stop());

/** An object of olivia with an older version; answers the id of that version. */
async function arrange(path: string): Promise<string> {
  const [bucket = '', name = ''] = path.split('/');
  assert.equal(await put(service, path, 'secret of old', 'bertha'), 201);
  await service.database.query('ALTER TABLE storage.objects DISABLE TRIGGER objects_20_fill');
  await service.database.query(
    "UPDATE storage.objects SET owner_id = 'olivia', revision = revision + 1 WHERE bucket_id = $1 AND name = $2",
    [bucket, name],
  );
  await service.database.query('ALTER TABLE storage.objects ENABLE TRIGGER objects_20_fill');
  const [row] = await service.database.query<{ version_id: string }>(
    'SELECT version_id FROM storage.objects WHERE bucket_id = $1 AND name = $2',
    [bucket, name],
  );
  assert.equal(await put(service, path, 'shown now', 'bertha'), 200);
  return row?.version_id ?? '';
}

async function answerTo(path: string, who: Who, init: RequestInit = {}): Promise<readonly [number, string]> {
  const response = await service.fetch(path, { ...init, as: asOf(who) });
  return [response.status, (await response.text()).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID')];
}

for (const policy of policies) {
  describe(`122 an older version in a ${policy} bucket`, () => {
    for (const who of callers) {
      test(`${who} ${sees[who] ? 'reads' : 'learns nothing of'} it by any route`, async () => {
        const name = `read-${who}`;
        const version = await arrange(`v-${policy}/${name}`);
        const routes = ['object', 'object/authenticated', ...(policy === 'public' ? ['object/public'] : [])];

        for (const route of routes) {
          const path = (id: string): string => `/storage/v1/${route}/v-${policy}/${name}?version=${id}`;
          const found = await answerTo(path(version), who);
          const range = await answerTo(path(version), who, { headers: { range: 'bytes=0-5' } });
          const head = await answerTo(path(version), who, { method: 'HEAD' });
          const never = await answerTo(path(randomUUID()), who);

          if (sees[who] && route !== 'object/public') {
            assert.deepEqual([found, range, head[0]], [[200, 'secret of old'], [206, 'secret'], 200], route);
          } else {
            assert.deepEqual([found, range], [never, never], `${route}: like a version that never was`);
            assert.equal(head[0], never[0]);
          }
        }
      });

      test(`${who} ${sees[who] ? 'lists' : 'does not list'} it`, async () => {
        const name = `list-${who}`;
        const version = await arrange(`v-${policy}/${name}`);

        const response = await service.fetch(`/storage/v1/object/versions/v-${policy}/${name}`, { as: asOf(who) });

        assert.equal((await response.text()).includes(version), sees[who]);
      });

      test(`${who} ${sees[who] ? 'purges' : 'does not purge'} it`, async () => {
        const name = `purge-${who}`;
        const version = await arrange(`v-${policy}/${name}`);

        const [status] = await answerTo(`/storage/v1/object/v-${policy}/${name}?version=${version}`, who, {
          method: 'DELETE',
        });

        assert.ok(sees[who] ? status === 200 : [200, 401, 404].includes(status), String(status));
        const left = await read(service, `v-${policy}/${name}`, 'service', version);
        assert.equal(left, sees[who] ? 404 : 'secret of old');
        assert.equal(await read(service, `v-${policy}/${name}`, 'service'), 'shown now');
      });

      test(`${who} ${sees[who] ? 'restores' : 'does not restore'} it, nor copies it in SQL`, async () => {
        const name = `restore-${who}`;
        const version = await arrange(`v-${policy}/${name}`);
        const [status] = await answerTo(`/storage/v1/object/restore/v-${policy}/${name}`, who, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ version }),
        });

        assert.ok(sees[who] ? status === 200 : [401, 403, 404].includes(status), String(status));
        assert.equal(await read(service, `v-${policy}/${name}`, 'service'), sees[who] ? 'secret of old' : 'shown now');
        if (who === 'mallory') {
          await makeBucket(service, `loot-${policy}`, { owner: 'mallory' });
          const theft = sqlAs(
            service,
            'mallory',
            'INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ($1, $2, $3)',
            [`loot-${policy}`, 'loot', version],
          );
          assert.equal(await sqlErrorOf(theft), '42501');
        }
      });
    }
  });
}

describe('122 what was deleted', () => {
  test('is listed for whoever may restore it, and for nobody else', async () => {
    const version = await arrange('v-public/gone');
    await remove(service, 'v-public/gone', 'bertha');

    const seen = async (as: string): Promise<boolean> =>
      (await page(service, 'v-public', as, '?prefix=gone')).versions.length > 0;
    assert.deepEqual(await Promise.all(['mallory', 'olivia', 'bertha', 'service'].map(seen)), [
      false,
      true,
      true,
      true,
    ]);
    assert.equal(await read(service, 'v-public/gone', 'mallory', version), 404);
  });

  test('comes back to whom it belonged, whoever restores it', async () => {
    await arrange('v-authenticated/mine');
    await remove(service, 'v-authenticated/mine', 'bertha');

    assert.equal(await restore(service, 'v-authenticated/mine', 'bertha'), 200);

    const [row] = await service.database.query<{ owner_id: string }>(
      "SELECT owner_id FROM storage.objects WHERE bucket_id = 'v-authenticated' AND name = 'mine'",
    );
    assert.equal(row?.owner_id, 'olivia');
  });

  test('does not come back against the will of the owner of its bucket', async () => {
    await arrange('v-private/moderated');
    await remove(service, 'v-private/moderated', 'bertha');

    assert.equal(await restore(service, 'v-private/moderated', 'olivia'), 403);
    assert.equal(await read(service, 'v-private/moderated', 'service'), 404);
  });
});

test('122 who may read history and not purge it is told so', async () => {
  await makeBucket(service, 'shared-history', { policy: 'authenticated', versioning: 'on' });
  await service.database.query(
    "CREATE POLICY readers ON storage.object_history FOR SELECT TO authenticated USING (bucket_id = 'shared-history')",
  );
  const version = await arrange('shared-history/a');

  assert.equal(await read(service, 'shared-history/a', 'mallory', version), 'secret of old');
  assert.equal(await remove(service, 'shared-history/a', 'mallory', version), 403);
  assert.equal(await read(service, 'shared-history/a', 'olivia', version), 'secret of old');
});

describe('in SQL', () => {
  test('application roles write no history, and change none', async () => {
    const version = await arrange('v-private/forged');
    const forge = [
      `INSERT INTO storage.object_history (bucket_id, name, object_id, version_id, reason, owner_id, size, content_type, created_at, modified_at)
       VALUES ('v-private', 'forged', gen_random_uuid(), '${version}', 'delete', 'mallory', 1, 'text/plain', now(), now())`,
      "UPDATE storage.object_history SET owner_id = 'mallory'",
      "UPDATE storage.object_history SET purge_after = now() WHERE bucket_id = 'v-private'",
      'TRUNCATE storage.object_history',
    ];

    for (const as of ['mallory', 'bertha', 'service']) {
      for (const statement of forge) {
        assert.equal(await sqlErrorOf(sqlAs(service, as, statement)), '42501', `${as}: ${statement}`);
      }
    }
  });

  test('a setting that says "restoring" gives nobody more than a restore does', async () => {
    const version = await arrange('v-private/claimed');
    const [entry] = await service.database.query<{ sequence: string }>(
      'SELECT sequence FROM storage.object_history WHERE version_id = $1',
      [version],
    );
    await makeBucket(service, 'den', { owner: 'mallory' });
    const forged = (name: string, wanted: string): Promise<unknown> =>
      sqlAs(
        service,
        'mallory',
        `WITH said AS MATERIALIZED (SELECT set_config('storage.restoring', $1, true))
         INSERT INTO storage.objects (bucket_id, name, version_id) SELECT 'den', $2, $3 FROM said`,
        [entry?.sequence, name, wanted],
      );
    assert.equal(await put(service, 'den/own', 'own', 'mallory'), 201);
    const [own] = await versions(service, 'den/own', 'mallory');

    assert.equal(await sqlErrorOf(forged('claimed', version)), '42501', 'a version of somebody else');
    assert.equal(await sqlErrorOf(forged('copy', own?.version ?? '')), 'object_not_found', 'an entry of another name');
  });

  test('the views show each caller what the policies do', async () => {
    const version = await arrange('v-public/viewed');
    const seen = async (as: string): Promise<number> =>
      (await sqlAs(service, as, 'SELECT FROM public.storage_object_versions WHERE version = $1', [version])).length;

    assert.deepEqual(await Promise.all(['mallory', 'olivia', 'bertha', 'service'].map(seen)), [0, 1, 1, 1]);
  });
});

test('after all of it every invariant holds', async () => {
  await assertInvariants(service);
});
