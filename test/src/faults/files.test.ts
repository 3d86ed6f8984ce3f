/**
 * F3, F4: every operation with a failing call to the operating system at step one, two, three …: what a failing disk, a
 * full one, a read-only one and too many open files say, and writes that take only a part of their bytes.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { enableFaults, type FaultPoint, type FaultVerdict, systemError } from '@rowlock/server';
import { assertInvariants } from '@rowlock/test-harness';
import { failAtEachStep } from './fail-at-step.ts';
import { ask, type FaultySite, largeBytes, pathOf, startFaultySite, writeObject } from './faulty-site.ts';
import { operations, type Result } from './operations.ts';

interface Errno {
  /** What it may become, where it becomes an answer at all. */
  readonly answers: readonly Result[];
  /** The calls that raise it. */
  readonly from: RegExp;
}

const errnos: Readonly<Record<string, Errno>> = {
  EIO: { answers: [500, 'lost'], from: /^file\./ },
  ENOSPC: { answers: [507], from: /^file\.(open|write|sync|link|folder_make|folder_sync)$/ },
  EMFILE: { answers: [503], from: /^file\.(open|folder_open|list)$/ },
  EROFS: { answers: [503], from: /^file\.(open|link|unlink|folder_make|folder_remove)$/ },
};

const isLong = process.env['ROWLOCK_ROUNDS'] !== undefined;

/** Operations that touch the store; those that render images only in long runs. */
const touching = operations.filter(({ name }) =>
  [
    ...(isLong ? ['job thumbnail_generate'] : []),
    'upload create',
    'upload overwrite',
    'download',
    'range',
    'presigned PUT',
    'job upload_complete',
    'job version_purge',
    'job upload_sweep',
  ].includes(name),
);

interface FileFault {
  /** The calls that count. */
  readonly from: RegExp;
  readonly strike: (point: FaultPoint) => FaultVerdict;
  /** Strikes every call from then on, as a disk that is gone does. */
  readonly lasts?: boolean;
}

/** Fails the n-th call to the operating system of this process, counted from now on until it is disarmed. */
function armFiles(step: number, { from, strike, lasts = false }: FileFault): () => boolean {
  let calls = 0;
  enableFaults((point) => {
    if (!from.test(point)) return undefined;
    calls += 1;
    return calls === step || (lasts && calls > step) ? strike(point) : undefined;
  });
  return () => {
    enableFaults(undefined);
    return calls >= step;
  };
}

let site: FaultySite;

before(async () => {
  site = await startFaultySite();
});
after(() => site.stop());

for (const [errno, { answers, from }] of Object.entries(errnos)) {
  describe(`${errno} from every call that raises it`, () => {
    // What differs between them is the errno; in short runs one goes everywhere and the others where most calls are.
    for (const operation of touching.filter(({ name }) => isLong || errno === 'EIO' || /create|sweep/.test(name))) {
      test(`of ${operation.name}`, async () => {
        const strike = (): FaultVerdict => {
          throw systemError(errno);
        };

        await failAtEachStep(site, operation, {
          arm: (step) => armFiles(step, { from, strike }),
          label: errno.toLowerCase(),
          fails: [...answers, 'failed'],
        });
      });
    }
  });
}

for (const errno of ['EIO', 'EROFS']) {
  describe(`a disk that answers ${errno} from a call on`, () => {
    for (const operation of touching.filter(({ name }) => /create|PUT|purge|sweep/.test(name))) {
      test(`during ${operation.name}`, async () => {
        const { answers, from } = errnos[errno] ?? { answers: [], from: /^$/ };
        const strike = (): FaultVerdict => {
          throw systemError(errno);
        };

        await failAtEachStep(site, operation, {
          arm: (step) => armFiles(step, { from, strike, lasts: true }),
          label: `lasting-${errno.toLowerCase()}`,
          fails: [...answers, 'failed'],
        });
      });
    }
  });
}

describe('short writes', () => {
  test('are continued, wherever they happen', async () => {
    for (let step = 1; ; step += 1) {
      const disarm = armFiles(step, { from: /^file\.write$/, strike: () => 'short' });
      const status = await writeObject(site, `short-${step}`, Buffer.alloc(largeBytes, step));
      if (!disarm()) break;
      assert.equal(status, 201);
    }

    await assertInvariants(site.service, { history: site.history });
  });

  test('that are followed by a full disk leave nothing', async () => {
    let writes = 0;
    enableFaults((point) => {
      if (point !== 'file.write') return undefined;
      writes += 1;
      if (writes > 1) throw systemError('ENOSPC');
      return 'short';
    });

    const status = await writeObject(site, 'torn', Buffer.alloc(largeBytes, 'x'));

    enableFaults(undefined);
    assert.equal(status, 507);
    assert.equal((await ask(site.service, pathOf('torn'))).status, 404);
    await assertInvariants(site.service, { history: site.history });
  });
});

test('an fsync that failed is not asked again, and the upload is not acknowledged', async () => {
  const points: FaultPoint[] = [];
  enableFaults((point) => {
    points.push(point);
    if (point === 'file.sync') throw systemError('EIO');
  });

  const status = await writeObject(site, 'unsynced', 'bytes');

  enableFaults(undefined);
  assert.equal(status, 500);
  assert.equal(points.filter((point) => point === 'file.sync').length, 1);
  assert.equal(points.includes('file.link'), false, 'what is not durable gets no name');
  await assertInvariants(site.service, { history: site.history });
});

test('a read that fails in the middle of a download ends the connection instead of the body', async () => {
  assert.equal(await writeObject(site, 'broken', Buffer.alloc(4 * largeBytes, 'x')), 201);
  let reads = 0;
  enableFaults((point) => {
    if (point !== 'file.read') return;
    reads += 1;
    if (reads === 3) throw systemError('EIO');
  });

  const { status } = await ask(site.service, pathOf('broken'));

  enableFaults(undefined);
  assert.equal(status, 'lost');
  await assertInvariants(site.service, { history: site.history });
});

test('errors of the operating system become answers with a code of ours and no word of the inside', async () => {
  for (const [errno, reason] of [
    ['ENOSPC', 'out_of_space'],
    ['EDQUOT', 'out_of_space'],
    ['EROFS', 'unavailable'],
    ['EMFILE', 'unavailable'],
    ['EIO', 'internal'],
  ] as const) {
    enableFaults((point) => {
      if (point === 'file.write') throw systemError(errno);
    });

    const { body } = await ask(site.service, pathOf(`said-${errno}`), { method: 'POST', body: 'x' });

    enableFaults(undefined);
    const said = JSON.parse(body.toString()) as Readonly<Record<string, unknown>>;
    assert.equal(said['reason'], reason);
    assert.deepEqual(Object.keys(said).sort(), ['code', 'error', 'message', 'reason', 'statusCode']);
    assert.doesNotMatch(body.toString(), new RegExp(`${errno}|/|fault`));
  }
});
