/**
 * What people and workers do with versions, in the form of `operations.ts`. A bucket of its own keeps them, since the
 * bucket of all other operations keeps none.
 */
import assert from 'node:assert/strict';
import { contentOf, performJob } from '@rowlock/test-harness';
import { ask, asOutcome, type FaultySite } from './faulty-site.ts';
import type { Attempt, Operation, Result } from './operations.ts';

const bucket = 'versioned';
const pathOf = (name: string): string => `/storage/v1/object/${bucket}/${name}`;

/** A name that was written with each text, one over the other; answers the ids of their versions. */
async function arrangeVersions(site: FaultySite, name: string, texts: readonly string[]): Promise<readonly string[]> {
  const { service, history } = site;
  await service.database.query(
    "INSERT INTO storage.buckets (id, owner_id, versioning) VALUES ($1, 'ann', 'on') ON CONFLICT DO NOTHING",
    [bucket],
  );
  const versions: string[] = [];
  for (const text of texts) {
    await history.write(`${bucket}/${name}`, contentOf(text), async () => {
      const { status } = await ask(service, pathOf(name), { method: 'PUT', body: text });
      assert.ok(status === 200 || status === 201, `arranged: ${status}`);
      return asOutcome(status);
    });
    const [row] = await service.database.query<{ version_id: string }>(
      'SELECT version_id FROM storage.objects WHERE bucket_id = $1 AND name = $2',
      [bucket, name],
    );
    versions.push(row?.version_id ?? '');
  }
  return versions;
}

async function removeNow({ service, history }: FaultySite, name: string): Promise<Result> {
  let status: Result = 'lost';
  await history.delete(`${bucket}/${name}`, async () => {
    ({ status } = await ask(service, pathOf(name), { method: 'DELETE' }));
    return asOutcome(status);
  });
  return status;
}

/** A request after which the name has this text. */
function attemptOf(
  site: FaultySite,
  { name, text }: { readonly name: string; readonly text: string },
  request: { readonly path: string; readonly init: RequestInit },
): Attempt {
  return async () => {
    let status: Result = 'lost';
    await site.history.write(`${bucket}/${name}`, contentOf(text), async () => {
      ({ status } = await ask(site.service, request.path, request.init));
      return asOutcome(status);
    });
    return status;
  };
}

const restoring = (name: string, version?: string): { readonly path: string; readonly init: RequestInit } => ({
  path: `/storage/v1/object/restore/${bucket}/${name}`,
  init: {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(version === undefined ? {} : { version }),
  },
});

/** Operations on versions. */
export const versionOperations: readonly Operation[] = [
  {
    name: 'delete with versioning',
    succeeds: [200],
    arrange: async (site, round) => {
      await arrangeVersions(site, `deleted-${round}`, ['only']);
      return () => removeNow(site, `deleted-${round}`);
    },
  },
  {
    name: 'restore over the current version',
    succeeds: [200],
    arrange: async (site, round) => {
      const name = `restored-${round}`;
      const [old] = await arrangeVersions(site, name, ['old', 'new']);
      return attemptOf(site, { name, text: 'old' }, restoring(name, old));
    },
  },
  {
    name: 'restore of what was deleted',
    succeeds: [200],
    repeated: [409],
    arrange: async (site, round) => {
      const name = `undeleted-${round}`;
      await arrangeVersions(site, name, ['text']);
      assert.equal(await removeNow(site, name), 200);
      return attemptOf(site, { name, text: 'text' }, restoring(name));
    },
  },
  {
    name: 'purge of an older version',
    succeeds: [200],
    arrange: async (site, round) => {
      const name = `purged-${round}`;
      const [old] = await arrangeVersions(site, name, ['old', 'new']);
      return async () => (await ask(site.service, `${pathOf(name)}?version=${old}`, { method: 'DELETE' })).status;
    },
  },
  {
    name: 'purge of the current version',
    succeeds: [200],
    arrange: async (site, round) => {
      const name = `uncovered-${round}`;
      const [, current] = await arrangeVersions(site, name, ['old', 'new']);
      const path = `${pathOf(name)}?version=${current}`;
      return attemptOf(site, { name, text: 'old' }, { path, init: { method: 'DELETE' } });
    },
  },
  {
    name: 'list of versions',
    succeeds: [200],
    arrange: async (site, round) => {
      await arrangeVersions(site, `listed-${round}`, ['old', 'new']);
      const path = `/storage/v1/object/versions/${bucket}/listed-${round}`;
      return async () => (await ask(site.service, path)).status;
    },
  },
  {
    name: 'job upload_sweep of history',
    succeeds: ['done'],
    arrange: async (site, round) => {
      await arrangeVersions(site, `expired-${round}`, ['old', 'new']);
      await site.service.database.query(
        "UPDATE storage.object_history SET purge_after = now() - interval '1 second' WHERE bucket_id = $1",
        [bucket],
      );
      return async () => {
        try {
          await performJob(site.parts, 'upload_sweep', {});
          return 'done';
        } catch {
          return 'failed'; // the queue would try it again, as the test does
        }
      };
    },
  },
];
