/**
 * The database is lost at each statement of a copy between backends, before it heard of it and after it has done it: each
 * version is on one backend or on the other, whole, and the next run does the rest.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Backends, copyBackend, Database, openBackend } from '@rowlock/server';
import { assertInvariants, type FaultProxy, seededRandom, startFaultProxy } from '@rowlock/test-harness';
import { type BackendsSite, startBackendsSite } from './backends-site.ts';

const stepsMax = 60;
const random = seededRandom();
const body = random.bytes(300_000);

let site: BackendsSite;
let proxy: FaultProxy;
let db: Database;
let backends: Backends;

before(async () => {
  site = await startBackendsSite();
  await site.bucket('box');
  const { url } = site.service.database;
  proxy = await startFaultProxy({ url, adminUrl: url });
  const through = proxy.through(site.service.database.workerUrl);
  db = new Database({ url: through, connectionsMax: 2, statementTimeoutMs: 5000, applicationName: 'copy' });
  // The rows of bytes are reached through the proxy as well.
  const [rows] = site.service.config.other_backends ?? [];
  assert.ok(rows?.kind === 'postgres');
  const postgres = await openBackend({ ...rows, database: { ...rows.database, url: through } });
  backends = new Backends(await openBackend(site.service.config.backend), postgres);
});
after(async () => {
  await db.close();
  await backends.close();
  await proxy.close();
  await site.stop();
});

/** Copies an object of its own, with the fault at a statement; whether there was such a statement. */
async function copyWithFault(kind: 'cut_before' | 'cut_after', step: number): Promise<boolean> {
  const path = `box/${kind}-${step}`;
  await site.put(path, body);
  const armed = proxy.arm({ at: step, fault: { kind } });
  const result = await copyBackend({ db, backends }, { from: 'disk', to: 'postgres', concurrency: 1 }).then(
    () => 'copied',
    (error: { reason?: string }) => error.reason ?? String(error),
  );
  armed.disarm();
  const said = `${kind} at step ${step}, ${armed.struck?.text ?? 'not met'}: ${result}`;
  const between = await site.read(path);
  const again = await copyBackend({ db, backends }, { from: 'disk', to: 'postgres' });
  const { backend } = await site.placeOf(path);

  assert.ok(['copied', 'unavailable'].includes(result), said);
  assert.ok(Buffer.isBuffer(between) && between.equals(body), said);
  assert.deepEqual([again.failed, again.left, backend], [0, 0, 'postgres'], said);
  assert.deepEqual(await site.read(path), body, said);
  return armed.struck !== undefined;
}

describe('the database is lost during a copy between backends', () => {
  for (const kind of ['cut_before', 'cut_after'] as const) {
    test(`${kind.replace('cut_', '')} each statement, and nothing is lost or done twice`, async (t) => {
      t.diagnostic(`seed ${random.seed}`);
      let step = 1;

      while (step < stepsMax && (await copyWithFault(kind, step))) step += 1;

      assert.ok(step > 8 && step < stepsMax, `a copy has ${step - 1} statements`);
      await assertInvariants(site.service);
    });
  }
});
