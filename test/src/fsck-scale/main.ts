/**
 * `npm run campaign -- fsck [--objects N] [--only sweep] [--json FILE]`: the commands `fsck`, `fsck --scrub` and `sweep`, run as an operator
 * runs them, over a tenth of N objects and over N. Prints time and peak memory of each; fails where they do not find
 * exactly what was planted, or where memory grows with the number of objects.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createMigratedDatabase, type MigratedDatabase, temporaryFolder } from '@rowlock/test-harness';

const program = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url));
const { values } = parseArgs({
  options: { objects: { type: 'string' }, only: { type: 'string' }, json: { type: 'string' } },
});
const objects = Number(values.objects ?? 100_000);
if (!(Number.isInteger(objects) && objects >= 1000)) throw new TypeError('--objects is a whole number from 1000');

/** What V8 may keep in the commands: it would take what is there before it collects, and say little of what is needed. */
const heapMib = 96;

/** Rows without files: the sweep asks for none. */
const withFiles = values.only !== 'sweep';

/** How many of each fault are planted. */
const planted = 10;

interface Measured {
  readonly objects: number;
  readonly what: string;
  readonly seconds: number;
  /** Of the process, not of its PostgreSQL. */
  readonly cpu_seconds: number;
  readonly peak_mib: number;
}

interface Place {
  readonly database: MigratedDatabase;
  readonly root: string;
}

/** Rows by the hundred thousand: without triggers, since what they would do is not measured here. */
async function fill({ database, root }: Place, count: number): Promise<void> {
  await database.query(`SET session_replication_role = replica;
    INSERT INTO storage.buckets (id, name) VALUES ('box', 'box');
    WITH made AS (
      INSERT INTO storage.versions (id, backend, key, state, size, sha256, stored_at)
      SELECT id, 'disk', 'objects/' || right(id::text, 2) || '/' || id, 'stored', 0, sha256(''), now() - interval '1 day'
      FROM (SELECT storage_internal.uuid_v7() AS id FROM generate_series(1, ${count + planted})) AS new
      RETURNING id
    )
    INSERT INTO storage.objects (bucket_id, name, version_id, size, content_type)
    SELECT 'box', 'folder/' || id, id, 0, 'text/plain' FROM made;
    DELETE FROM storage.objects WHERE version_id IN (SELECT id FROM storage.versions ORDER BY key LIMIT ${planted});
    SET session_replication_role = origin;`);
  await database.query('VACUUM ANALYZE storage.versions, storage.objects, storage.object_history, storage.uploads');
  if (!withFiles) return;
  for (let i = 0; i < 256; i += 1) {
    mkdirSync(join(root, 'objects', i.toString(16).padStart(2, '0')), { recursive: true });
  }
  for (let after = ''; ; ) {
    const rows = await database.query<{ key: string }>(
      'SELECT key FROM storage.versions WHERE key > $1 ORDER BY key LIMIT 20000',
      [after],
    );
    for (const { key } of rows) closeSync(openSync(join(root, key), 'w', 0o600));
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.key;
  }
}

/** As many missing as strays; what nothing points at was left by `fill`. */
async function plant({ database, root }: Place): Promise<void> {
  const lost = await database.query<{ key: string }>(
    `SELECT key FROM storage.versions ORDER BY key DESC LIMIT ${planted}`,
  );
  for (const { key } of lost) rmSync(join(root, key));
  for (let i = 0; i < planted; i += 1) writeFileSync(join(root, `objects/77/stray${i}`), '');
}

interface Ran extends Pick<Measured, 'seconds' | 'cpu_seconds' | 'peak_mib'> {
  readonly code: number;
  readonly report: Record<string, unknown>;
}

/** Runs a command; the peak is what the kernel says of its memory. */
async function run({ database, root }: Place, args: readonly string[]): Promise<Ran> {
  const env = {
    ...process.env,
    WORKER_DATABASE_URL: database.workerUrl,
    STORAGE_ROOT: root,
    S3_ACCESS_KEY_ID: 'k',
    S3_SECRET_ACCESS_KEY: 'a-secret-of-forty-characters-for-nothing',
  };
  const begun = performance.now();
  const child = spawn(process.execPath, [`--max-old-space-size=${heapMib}`, program, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  let used = { cpu_seconds: 0, peak_mib: 0 };
  const looking = setInterval(() => {
    used = usedBy(child.pid ?? 0) ?? used;
  }, 50);
  const [code] = (await once(child, 'close')) as [number];
  clearInterval(looking);
  const seconds = (performance.now() - begun) / 1000;
  return { code, report: JSON.parse(out) as Record<string, unknown>, seconds, ...used };
}

/** Both only go up; ticks are hundredths of a second on Linux. */
function usedBy(pid: number): { readonly cpu_seconds: number; readonly peak_mib: number } | undefined {
  try {
    const [, peak = '0'] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return peak === '0'
      ? undefined
      : { cpu_seconds: (Number(fields[11]) + Number(fields[12])) / 100, peak_mib: Number(peak) / 1024 };
  } catch {
    return undefined; // it has ended
  }
}

async function measureFsck(
  place: Place,
  count: number,
  note: (what: string, ran: Omit<Measured, 'objects' | 'what'>) => void,
): Promise<void> {
  const clean = await run(place, ['fsck', '--json']);
  note('fsck', clean);
  assert.deepEqual([clean.code, clean.report['keys'], clean.report['unreferenced']], [0, count + planted, planted]);
  await plant(place);
  const faulty = await run(place, ['fsck', '--scrub', '--json']);
  note('fsck --scrub', faulty);
  const { counts } = faulty.report as { counts: Record<string, number> };
  assert.deepEqual([faulty.code, counts['missing'], counts['bytes_without_row']], [1, planted, planted]);
}

async function measure(count: number): Promise<readonly Measured[]> {
  const place = { database: await createMigratedDatabase('scale'), root: join(temporaryFolder(), 'blobs') };
  const measured: Measured[] = [];
  const note = (what: string, { seconds, cpu_seconds, peak_mib }: Omit<Measured, 'objects' | 'what'>): void => {
    measured.push({ objects: count, what, seconds, cpu_seconds, peak_mib });
    const used = cpu_seconds === 0 ? '' : `, ${cpu_seconds.toFixed(1)} s of processor, ${peak_mib.toFixed(0)} MiB`;
    process.stderr.write(`${count} objects, ${what}: ${seconds.toFixed(1)} s${used}\n`);
  };
  const since = (begun: number): Omit<Measured, 'objects' | 'what'> => ({
    seconds: (performance.now() - begun) / 1000,
    cpu_seconds: 0,
    peak_mib: 0,
  });
  const begun = performance.now();
  await fill(place, count);
  note('made', since(begun));
  if (withFiles) await measureFsck(place, count, note);
  const swept = await run(place, ['sweep', '--json']);
  note('sweep', swept);
  assert.deepEqual([swept.report['examined'], swept.report['enqueued']], [count + planted, planted]);
  const rowByRow = performance.now();
  await place.database.query(
    `SELECT count(*) FROM storage.versions WHERE state = 'stored' AND NOT storage_internal.version_is_referenced(id)`,
  );
  note('the same search row by row, as it was', since(rowByRow));
  await place.database.drop();
  rmSync(place.root, { recursive: true, force: true });
  return measured;
}

const measured = [...(await measure(Math.round(objects / 10))), ...(await measure(objects))];
for (const what of withFiles ? ['fsck', 'fsck --scrub', 'sweep'] : ['sweep']) {
  const [few, many] = measured.filter((each) => each.what === what);
  assert.ok(few !== undefined && many !== undefined);
  const grown = many.peak_mib - few.peak_mib;
  const longer = (many.seconds / few.seconds).toFixed(1);
  console.log(`${what}: ${longer} times the time of a tenth, ${grown.toFixed(0)} MiB more`);
  assert.ok(grown < 100, 'memory is bounded');
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(measured, undefined, 2)}\n`);
