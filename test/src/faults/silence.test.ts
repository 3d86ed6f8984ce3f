/** A worker whose every connection to the database goes silent, as behind a firewall that forgot them, works on by itself. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertInvariants, until } from '@rowlock/test-harness';
import { ask, type FaultySite, startFaultySite } from './faulty-site.ts';

let site: FaultySite;

before(async () => {
  site = await startFaultySite({ workers: true });
});
after(() => site.stop());

const jobsLeft = (): Promise<unknown[]> =>
  site.service.database.query(
    "SELECT FROM metadata.river_job WHERE state NOT IN ('completed', 'cancelled', 'discarded')",
  );

test('jobs are done although the answers to all statements of a worker stopped coming', async () => {
  const { proxy, random, service } = site;
  await until(async () => (await jobsLeft()).length === 0, { what: 'the worker is at rest' });
  let swallowed = 0;
  const matching = ({ application_name }: { readonly application_name: string }): boolean => {
    if (application_name !== 'rowlock worker') return false;
    swallowed += 1;
    return true;
  };
  proxy.leaveToChance({ random, rate: 1, faults: [{ kind: 'black_hole' }], matching });

  const requested = await ask(service, '/rpc/request_upload_url', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ p_entity_type: 'a', p_entity_id: '1', p_file_name: 'a.jpg', p_file_type: 'image/jpeg' }),
  });
  await until(() => swallowed >= 2, { timeoutMs: 30_000, what: 'the worker has asked in vain' });
  proxy.leaveToChance(undefined);

  assert.equal(requested.status, 200);
  await until(async () => (await jobsLeft()).length === 0, { timeoutMs: 90_000, what: 'the job is done' });
  await assertInvariants(service);
});
