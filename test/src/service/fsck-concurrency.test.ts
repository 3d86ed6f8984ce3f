/** `fsck` with repairs, scrubs and sweeps without a grace, all while objects are written, replaced, moved and deleted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding, FsckReport } from '@rowlock/server';
import { assertInvariants, seededRandom } from '@rowlock/test-harness';
import { startFsckSite } from './fsck-site.ts';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);

test('uploads and deletes under way give no false finding, and repairs and sweeps beside them lose nothing', async () => {
  const random = seededRandom();
  const site = await startFsckSite({ workers: true });
  const { service } = site;
  const kept = new Map<string, string>();
  const request = async (method: string, path: string, body?: string): Promise<number> => {
    const answer = await service.fetch(`/storage/v1/object/${path}`, {
      as: 'ann',
      method,
      ...(body === undefined ? {} : { body }),
    });
    await answer.arrayBuffer();
    return answer.status;
  };
  const write = async (worker: number): Promise<void> => {
    for (let i = 1; i <= 40 * rounds; i += 1) {
      const name = `w${worker}/${random.integer(6)}`;
      const body = `${name} ${i} ${'x'.repeat(random.integer(100_000))}`;
      if (random.integer(3) === 0) {
        const status = await request('DELETE', `box/${name}`);
        assert.ok(status === 200 || status === 404, `${status}`);
        kept.delete(name);
      } else {
        assert.ok([200, 201].includes(await request('PUT', `box/${name}`, body)));
        kept.set(name, body);
      }
    }
  };
  let isWriting = true;
  const reports: FsckReport[] = [];
  const check = async (): Promise<void> => {
    while (isWriting) {
      const scrub = random.integer(2) === 0;
      reports.push(await site.fsck({ scrub, repair: true, dropLost: true, force: true, graceSeconds: 0, pageSize: 3 }));
    }
  };
  const sweep = async (): Promise<void> => {
    while (isWriting) await service.database.query("SELECT storage_internal.sweep_unreferenced('0', 3, 100)");
  };

  const writers = Promise.all(Array.from({ length: 6 }, (_, worker) => write(worker))).finally(() => {
    isWriting = false;
  });
  await Promise.all([writers, check(), sweep()]);

  const isWrong = ({ kind }: Finding): boolean => kind !== 'overdue';
  assert.ok(reports.length > 1, 'fsck ran beside the writers');
  assert.deepEqual(
    reports.flatMap(({ findings }) => findings.filter(isWrong)),
    [],
  );
  for (const [name, body] of kept) {
    const answer = await service.fetch(`/storage/v1/object/box/${name}`, { as: 'ann' });
    assert.equal(await answer.text(), body, name);
  }
  await assertInvariants(service);
  await site.stop();
});
