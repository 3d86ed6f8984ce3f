/**
 * Versions as a state machine: random commands over HTTP and in SQL, with purges that are broken off half-way among them,
 * against the reference model. After each, every name lists, reads and has exactly what the model says.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Backends, Database, enableFaults, openBackend, sweep } from '@rowlock/server';
import {
  assertInvariants,
  type JobParts,
  performJob,
  seededRandom,
  startService,
  type TestService,
} from '@rowlock/test-harness';
import fc from 'fast-check';
import { type Answer, type Versioning, VersionModel } from './version-model.ts';
import { makeBucket, put, read, remove, restore, sqlAs, sqlErrorOf, versions } from './versioned-site.ts';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
const as = 'bertha';
const names = ['a', 'b/c'] as const;

interface Site {
  readonly service: TestService;
  readonly parts: JobParts;
  readonly bucket: string;
}

let service: TestService;
let parts: JobParts;
let buckets = 0;

before(async () => {
  service = await startService({ workers: false });
  parts = {
    db: new Database({
      url: service.database.workerUrl,
      connectionsMax: 2,
      statementTimeoutMs: 10_000,
      applicationName: 'version machine',
    }),
    backend: await openBackend(service.config.backend),
  };
});
after(async () => {
  enableFaults(undefined);
  await parts.db.close();
  await parts.backend.close();
  await service.stop();
});

const statusOf: Readonly<Record<Answer, number>> = { done: 200, missing: 404, taken: 409 };
const codeOf: Readonly<Record<Answer, string>> = { done: 'none', missing: 'object_not_found', taken: 'object_exists' };

/** Compares every name with the model: what it has, its versions in order, and the bytes of each. */
async function assertSame(model: VersionModel, { bucket }: Site): Promise<void> {
  for (const name of names) {
    const path = `${bucket}/${name}`;
    const listed = await versions(service, path, as);
    const shape: (string | number)[] = [];
    for (const { version, delete_marker } of listed) {
      shape.push(delete_marker ? '-' : await read(service, path, as, version));
    }
    assert.deepEqual(shape, model.shape(name), `the versions of ${name}`);
    assert.equal(await read(service, path, as), model.at(name).current?.version.text ?? 404, `what ${name} has`);
  }
}

type Command = fc.AsyncCommand<VersionModel, Site>;

/** A command that is always possible: what it does to the model, and to the service. */
function command(label: string, run: (model: VersionModel, site: Site) => Promise<void>): Command {
  return {
    check: () => true,
    async run(model, site) {
      await run(model, site);
      await assertSame(model, site);
    },
    toString: () => label,
  };
}

let texts = 0;

const putCommand = (name: string): Command =>
  command(`put ${name}`, async (model, { bucket }) => {
    texts += 1;
    const text = `text ${texts}`;
    const expected = model.at(name).current === undefined ? 201 : 200;
    model.put(name, text);
    assert.equal(await put(service, `${bucket}/${name}`, text, as), expected);
  });

const deleteCommand = (name: string, inSql: boolean): Command =>
  command(`delete ${name}${inSql ? ' in SQL' : ''}`, async (model, { bucket }) => {
    model.delete(name);
    if (inSql) {
      await sqlAs(service, as, 'DELETE FROM storage.objects WHERE bucket_id = $1 AND name = $2', [bucket, name]);
    } else {
      assert.equal(await remove(service, `${bucket}/${name}`, as), 200);
    }
  });

const moveCommand = (from: string, to: string): Command =>
  command(`move ${from} to ${to}`, async (model, { bucket }) => {
    const answer = model.move(from, to);
    const moved = sqlAs(service, as, 'UPDATE storage.objects SET name = $3 WHERE bucket_id = $1 AND name = $2', [
      bucket,
      from,
      to,
    ]);
    assert.equal(await sqlErrorOf(moved), answer === 'taken' ? '23505' : 'none');
  });

/** The id and the text of what stands at a place, from the newest; undefined where there is nothing. */
async function pickAt(model: VersionModel, site: Site, name: string, place: number) {
  const listed = await versions(service, `${site.bucket}/${name}`, as);
  const at = listed.length === 0 ? 0 : place % listed.length;
  return { at, version: listed[at]?.version, text: model.shape(name)[at] };
}

const restoreCommand = (name: string, place: number | undefined, inSql: boolean): Command =>
  command(`restore ${name} ${place ?? 'the deleted'}${inSql ? ' in SQL' : ''}`, async (model, site) => {
    const picked = place === undefined ? undefined : await pickAt(model, site, name, place);
    if (picked !== undefined && (picked.text === undefined || picked.text === '-')) return;
    const answer = model.restore(name, picked?.text);
    if (inSql) {
      const call = sqlAs(service, as, 'SELECT storage.restore_object($1, $2, $3)', [
        site.bucket,
        name,
        picked?.version,
      ]);
      assert.equal(await sqlErrorOf(call), codeOf[answer]);
    } else {
      assert.equal(await restore(service, `${site.bucket}/${name}`, as, picked?.version), statusOf[answer]);
    }
  });

const purgeCommand = (name: string, place: number, inSql: boolean): Command =>
  command(`purge ${name} ${place}${inSql ? ' in SQL' : ''}`, async (model, site) => {
    const { at, version } = await pickAt(model, site, name, place);
    if (version === undefined) return;
    assert.equal(model.purge(name, at), 'done');
    if (inSql) {
      await sqlAs(service, as, 'SELECT storage.purge_version($1, $2, $3)', [site.bucket, name, version]);
    } else {
      assert.equal(await remove(service, `${site.bucket}/${name}`, as, version), 200);
    }
  });

const settingsCommand = (versioning: Versioning, soft: boolean): Command =>
  command(`versioning ${versioning}, ${soft ? 'soft' : 'hard'} deletes`, async (model, { bucket }) => {
    model.set(versioning, soft);
    await sqlAs(service, as, 'UPDATE storage.buckets SET versioning = $2, soft_delete_seconds = $3 WHERE id = $1', [
      bucket,
      versioning,
      soft ? 3600 : null,
    ]);
  });

const expireCommand: Command = command('the time of soft deletes is over', async (model) => {
  model.expire();
  await service.database.query(
    "UPDATE storage.object_history SET purge_after = now() - interval '1 second' WHERE purge_after IS NOT NULL",
  );
  await sweep({ db: parts.db, backends: new Backends(parts.backend) }, { graceSeconds: 0, limit: 1000 });
});

/** The worker purges what was enqueued; `dies` breaks each purge off at a step, as a kill would. */
const workCommand = (dies: string | undefined): Command =>
  command(`work${dies === undefined ? '' : ` that dies at ${dies}`}`, async () => {
    const jobs = await service.database.query<{ args: { version_ids: string[] } }>(
      "SELECT args FROM metadata.river_job WHERE kind = 'version_purge'",
    );
    enableFaults((point) => {
      if (point === dies) throw new Error('a worker that dies');
    });
    for (const { args } of jobs) {
      await performJob(parts, 'version_purge', args).catch((error: unknown) => {
        assert.match(String(error), /a worker that dies/);
      });
    }
    enableFaults(undefined);
  });

const anyName = fc.constantFrom(...names);
const place = fc.nat(3);
const versioning = fc.constantFrom<Versioning>('off', 'on', 'on', 'suspended');

const puts = anyName.map(putCommand);
const restores = fc
  .tuple(anyName, fc.option(place, { nil: undefined }), fc.boolean())
  .map(([name, at, inSql]) => restoreCommand(name, at, inSql));
const purges = fc.tuple(anyName, place, fc.boolean()).map(([name, at, inSql]) => purgeCommand(name, at, inSql));
const deaths = fc.constantFrom(undefined, 'purge.after_begin', 'purge.after_bytes');

/** What makes versions comes often: a command on a name without any does nothing. */
const commands = fc.commands(
  [
    ...Array.from({ length: 6 }, () => puts),
    ...Array.from({ length: 3 }, () => restores),
    ...Array.from({ length: 3 }, () => purges),
    fc.tuple(anyName, fc.boolean()).map(([name, inSql]) => deleteCommand(name, inSql)),
    fc.tuple(anyName, fc.boolean()).map(([name, inSql]) => deleteCommand(name, inSql)),
    fc.constantFrom(moveCommand('a', 'b/c'), moveCommand('b/c', 'a')),
    fc.tuple(versioning, fc.boolean()).map(([wanted, soft]) => settingsCommand(wanted, soft)),
    fc.oneof(fc.constant(expireCommand), deaths.map(workCommand)),
  ],
  { maxCommands: 60, size: 'max' },
);

test('whatever is done to names, in whatever order, they have and keep what the model says', async () => {
  const { seed } = seededRandom();

  await fc.assert(
    fc.asyncProperty(commands, versioning, fc.boolean(), async (run, mode, soft) => {
      buckets += 1;
      const bucket = `machine-${buckets}`;
      const model = new VersionModel(names);
      model.set(mode, soft);
      await makeBucket(service, bucket, {
        owner: as,
        versioning: mode,
        ...(soft ? { soft_delete_seconds: 3600 } : {}),
      });
      const setup = () => ({ model, real: { service, parts, bucket } });
      await fc.asyncModelRun(setup, run);
    }),
    { numRuns: 4 * rounds, seed: seed | 0, endOnFailure: true, includeErrorInReport: true },
  );

  await assertInvariants(service);
});
