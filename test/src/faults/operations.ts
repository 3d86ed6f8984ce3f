/**
 * Every operation that people and workers do, in a form that a test can repeat with a fault at step one, two, three …
 * It injects nothing and judges nothing but answers. Invariant: doing an operation again after a fault either does it or
 * finds it done.
 */
import assert from 'node:assert/strict';
import { contentOf, performJob } from '@rowlock/test-harness';
import {
  ask,
  asOutcome,
  bucket,
  deleteObject,
  type FaultySite,
  largeBytes,
  pathOf,
  readObject,
  writeObject,
} from './faulty-site.ts';
import { relocationOperations } from './relocation-operations.ts';
import { versionOperations } from './version-operations.ts';

/** Does the operation once: the status of its answer, or of a job `done` or `failed`. */
export type Attempt = () => Promise<Result>;
export type Result = number | 'lost' | 'done' | 'failed';

export interface Operation {
  readonly name: string;
  /** Makes what the operation needs; `round` is part of every name. */
  readonly arrange: (site: FaultySite, round: string) => Promise<Attempt>;
  /** Results of an operation that nothing disturbed. */
  readonly succeeds: readonly Result[];
  /** Further results when it is done again after an answer was lost. */
  readonly repeated?: readonly Result[];
}

const json = (body: object, method = 'POST'): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const statusOf = async (site: FaultySite, path: string, init?: RequestInit): Promise<Result> =>
  (await ask(site.service, path, init)).status;

/** An object to work on, written before the fault. */
async function arrangeObject(site: FaultySite, name: string, body: string | Buffer = `old ${name}`): Promise<void> {
  assert.equal(await writeObject(site, name, body), 201);
}

/** A request for an upload URL, its row as it is before the URL is signed. */
async function arrangeRequest(site: FaultySite, entity: string): Promise<{ id: string; file_id: string }> {
  const body = { p_entity_type: 'issue', p_entity_id: entity, p_file_name: 'a.jpg', p_file_type: 'image/jpeg' };
  const answer = await ask(site.service, '/rpc/request_upload_url', json(body));
  assert.equal(answer.status, 200, answer.body.toString());
  const id = JSON.parse(answer.body.toString()) as string;
  const [row] = await site.service.database.query<{ file_id: string }>(
    'SELECT file_id FROM metadata.file_upload_requests WHERE id = $1',
    [id],
  );
  return { id, file_id: row?.file_id ?? '' };
}

interface Signed {
  readonly url: string;
  readonly file_id: string;
  readonly key: string;
  readonly upload_id: string;
}

async function arrangeSigned(site: FaultySite, entity: string): Promise<Signed> {
  const { id } = await arrangeRequest(site, entity);
  await performJob(site.parts, 's3_presign', { request_id: id });
  const [row] = await site.service.database.query<Signed & Record<string, unknown>>(
    'SELECT presigned_url AS url, file_id, s3_key AS key, upload_id FROM metadata.file_upload_requests WHERE id = $1',
    [id],
  );
  assert.ok(row);
  return row;
}

/** Sends the photo to a presigned URL. What arrived is there after a sweep, whoever reports it. */
async function putSigned(site: FaultySite, signed: Signed): Promise<Result> {
  let status: Result = 'lost';
  const content = contentOf(site.photo);
  await site.history.write(`files/${signed.key}`, content, async () => {
    const init = { as: undefined, method: 'PUT', body: site.photo, headers: { 'content-type': 'image/jpeg' } };
    const answer = await ask(site.service, signed.url, init);
    status = answer.status;
    return asOutcome(answer.status);
  });
  return status;
}

function recordOf(signed: Signed, entity: string, size: number): RequestInit {
  return json({
    p_id: signed.file_id,
    p_entity_type: 'issue',
    p_entity_id: entity,
    p_file_name: 'a.jpg',
    p_file_type: 'image/jpeg',
    p_file_size: size,
    p_s3_bucket: 'civic-os-files',
    p_s3_original_key: signed.key,
  });
}

/** A job by hand: failing is an answer. */
async function jobResult(site: FaultySite, kind: string, args: Readonly<Record<string, unknown>>): Promise<Result> {
  try {
    await performJob(site.parts, kind, args);
    return 'done';
  } catch {
    return 'failed'; // the queue would try it again, as the test does
  }
}

const reads: readonly Operation[] = [
  {
    name: 'download',
    succeeds: [200],
    arrange: async (site, round) => {
      await arrangeObject(site, `download-${round}`, Buffer.alloc(largeBytes, round));
      return () => readObject(site, `download-${round}`);
    },
  },
  {
    name: 'range',
    succeeds: [206],
    arrange: async (site, round) => {
      await arrangeObject(site, `range-${round}`);
      return () => statusOf(site, pathOf(`range-${round}`), { headers: { range: 'bytes=1-3' } });
    },
  },
  {
    name: 'head',
    succeeds: [200],
    arrange: async (site, round) => {
      await arrangeObject(site, `head-${round}`);
      return () => statusOf(site, pathOf(`head-${round}`), { method: 'HEAD' });
    },
  },
  {
    name: 'list',
    succeeds: [200],
    arrange: async (site) => () => statusOf(site, `/storage/v1/object/list/${bucket}`, json({ prefix: '' })),
  },
  {
    name: 'sign',
    succeeds: [200],
    arrange: async (site, round) => {
      await arrangeObject(site, `sign-${round}`);
      const path = `/storage/v1/object/sign/${bucket}/sign-${round}`;
      return () => statusOf(site, path, json({ expiresIn: 60 }));
    },
  },
];

const writes: readonly Operation[] = [
  {
    name: 'create bucket',
    succeeds: [201],
    repeated: [409],
    arrange: async (site, round) => () => statusOf(site, '/storage/v1/bucket', json({ name: `bucket-${round}` })),
  },
  {
    name: 'upload create',
    succeeds: [201],
    repeated: [409],
    arrange: async (site, round) => () =>
      writeObject(site, `create-${round}`, Buffer.alloc(largeBytes, `new ${round}`), 'create'),
  },
  {
    name: 'upload overwrite',
    succeeds: [200],
    arrange: async (site, round) => {
      await arrangeObject(site, `overwrite-${round}`);
      return () => writeObject(site, `overwrite-${round}`, `new ${round}`);
    },
  },
  {
    name: 'delete',
    succeeds: [200],
    arrange: async (site, round) => {
      await arrangeObject(site, `delete-${round}`);
      return () => deleteObject(site, `delete-${round}`);
    },
  },
];

const directUploads: readonly Operation[] = [
  {
    name: 'direct upload request',
    succeeds: [200],
    arrange: async (site, round) => {
      const body = { p_entity_type: 'issue', p_entity_id: round, p_file_name: 'a.jpg', p_file_type: 'image/jpeg' };
      return () => statusOf(site, '/rpc/request_upload_url', json(body));
    },
  },
  {
    name: 'presigned PUT',
    succeeds: [200],
    repeated: [412],
    arrange: async (site, round) => {
      const signed = await arrangeSigned(site, round);
      return () => putSigned(site, signed);
    },
  },
  {
    name: 'complete',
    succeeds: [200],
    arrange: async (site, round) => {
      const signed = await arrangeSigned(site, round);
      assert.equal(await putSigned(site, signed), 200);
      return () => statusOf(site, '/rpc/create_file_record', recordOf(signed, round, site.photo.length));
    },
  },
];

const jobs: readonly Operation[] = [
  {
    name: 'job s3_presign',
    succeeds: ['done'],
    arrange: async (site, round) => {
      const { id } = await arrangeRequest(site, round);
      return () => jobResult(site, 's3_presign', { request_id: id });
    },
  },
  {
    name: 'job upload_complete',
    succeeds: ['done'],
    arrange: async (site, round) => {
      const signed = await arrangeSigned(site, round);
      assert.equal(await putSigned(site, signed), 200);
      return () => jobResult(site, 'upload_complete', { upload_id: signed.upload_id });
    },
  },
  {
    name: 'job thumbnail_generate',
    succeeds: ['done'],
    arrange: async (site, round) => {
      await arrangeObject(site, `thumbnail-${round}`, site.photo);
      const version = await versionOf(site, `thumbnail-${round}`);
      return () => jobResult(site, 'thumbnail_generate', { version_id: version });
    },
  },
  {
    name: 'job version_purge',
    succeeds: ['done'],
    arrange: async (site, round) => {
      await arrangeObject(site, `purge-${round}`);
      const version = await versionOf(site, `purge-${round}`);
      assert.equal(await deleteObject(site, `purge-${round}`), 200);
      return () => jobResult(site, 'version_purge', { version_ids: [version] });
    },
  },
  {
    name: 'job upload_sweep',
    succeeds: ['done'],
    arrange: async (site, round) => {
      const { database } = site.service;
      assert.equal(await putSigned(site, await arrangeSigned(site, round)), 200);
      await database.query("UPDATE storage.uploads SET created_at = now() - interval '1 hour'");
      await arrangeTombstone(site);
      return () => jobResult(site, 'upload_sweep', {});
    },
  },
  {
    name: 'job signing_keys_rotate',
    succeeds: ['done'],
    arrange: async (site) => {
      await site.service.database.query('DELETE FROM storage.s3_signing_keys');
      return () => jobResult(site, 'signing_keys_rotate', {});
    },
  },
];

async function versionOf({ service }: FaultySite, name: string): Promise<string> {
  const [row] = await service.database.query<{ version_id: string }>(
    'SELECT version_id FROM storage.objects WHERE bucket_id = $1 AND name = $2',
    [bucket, name],
  );
  return row?.version_id ?? '';
}

/** A version that was given up a week ago, and whose bytes came late. */
async function arrangeTombstone(site: FaultySite): Promise<void> {
  const key = `objects/ff/late-${site.random.integer(2 ** 32)}`;
  await site.service.database.query(
    `INSERT INTO storage.versions (id, backend, key, state, expires_at)
     VALUES (gen_random_uuid(), 'disk', $1, 'gone', now() - interval '1 second')`,
    [key],
  );
  await site.parts.backend.put(key, lateBytes());
}

async function* lateBytes(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('late');
}

/** All of them. */
export const operations: readonly Operation[] = [
  ...writes,
  ...relocationOperations,
  ...reads,
  ...directUploads,
  ...versionOperations,
  ...jobs,
];
