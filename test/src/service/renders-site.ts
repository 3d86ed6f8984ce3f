/**
 * What tests of pictures on demand share: a service without workers, so that nothing but what is asked for is made, whose
 * decoder is the real one, which a test can hold, or kill at the next picture, by a file that lies beside it. It judges only
 * that arranging works.
 */
import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startService, type TestService, temporaryFolder, until } from '@rowlock/test-harness';
import sharp from 'sharp';
import { drawn, scene } from '../../../packages/server/dist/imaging/sample-images.js';

export const v1 = '/storage/v1';

export const photo: Buffer = await drawn(scene(600, 400)).jpeg({ quality: 90 }).toBuffer();
export const green: Buffer = await sharp({ create: { width: 90, height: 60, channels: 3, background: 'green' } })
  .jpeg()
  .toBuffer();
export const clear: Buffer = await sharp({ create: { width: 90, height: 60, channels: 4, background: '#00000000' } })
  .png()
  .toBuffer();

/** A picture on demand, as its row is. */
export interface Kept extends Record<string, unknown> {
  readonly id: string;
  readonly status: string;
  /** How often it was begun. */
  readonly attempts: number;
}

export class RenderSite {
  readonly service: TestService;
  readonly #folder: string;

  private constructor(service: TestService, folder: string) {
    this.service = service;
    this.#folder = folder;
  }

  /** One picture is rendered at once, and two wait. */
  static async start(): Promise<RenderSite> {
    const folder = temporaryFolder();
    const renders = { at_once: 1, waiting_max: 2, decoder_module: heldDecoder(folder) };
    return new RenderSite(await startService({ workers: false, config: { renders } }), folder);
  }

  /** Another API of the same database and disk. */
  another(): Promise<TestService> {
    const { config, database, root } = this.service;
    return startService({ workers: false, database, root, config: { renders: config.renders } });
  }

  async put(path: string, body: Buffer | string, type = 'image/jpeg'): Promise<void> {
    const init = { as: 'olga', method: 'PUT', body, headers: { 'content-type': type } };
    const answer = await this.service.fetch(`${v1}/object/${path}`, init);
    assert.ok(answer.ok, await answer.text());
  }

  get(path: string, init: RequestInit = {}): Promise<Response> {
    return this.service.fetch(`${v1}/render/image/authenticated/${path}`, { as: 'olga', ...init });
  }

  /** Decoders wait from here on. */
  hold(): void {
    writeFileSync(join(this.#folder, 'hold'), '');
  }

  letGo(): void {
    rmSync(join(this.#folder, 'hold'), { force: true });
  }

  /** The next picture takes its decoder down, or is what its decoder fails at; answers whether it has. */
  breakNext(how: 'kill' | 'fail'): () => boolean {
    const file = join(this.#folder, how);
    writeFileSync(file, '');
    return () => !existsSync(file);
  }

  /** Pictures on demand of objects of a name, those that were wanted longest ago first. */
  keptOf(name: string): Promise<Kept[]> {
    return this.service.database.query<Kept>(
      `SELECT d.id, d.status, r.attempts FROM storage.variants AS d JOIN storage.renders AS r ON r.variant_id = d.id
       JOIN storage.objects AS o ON o.version_id = d.source_version_id WHERE o.name = $1 ORDER BY d.used_at`,
      [name],
    );
  }

  /** As a purge does that comes first: whoever still makes pictures of a name has the lease of none any more. */
  async forget(name: string): Promise<void> {
    const ids = (await this.keptOf(name)).map(({ id }) => id);
    await this.service.database.query('DELETE FROM storage.variants WHERE id = ANY ($1)', [ids]);
  }

  /** Puts the bytes of a name into quarantine, or lets them out. */
  async quarantine(name: string, isIn: boolean): Promise<void> {
    const [when, why] = isIn ? ['now()', "'infected'"] : ['NULL', 'NULL'];
    await this.service.database.query(
      `UPDATE storage.versions SET quarantined_at = ${when}, quarantine_reason = ${why}
       WHERE id = (SELECT version_id FROM storage.objects WHERE name = $1)`,
      [name],
    );
  }

  /** Resolves when somebody has asked whether another process still renders. */
  async somebodyWaits(): Promise<void> {
    const asking = `SELECT FROM pg_stat_activity
      WHERE query LIKE '%render_is_leased%' AND application_name = 'rowlock api' AND datname = current_database()`;
    await until(async () => (await this.service.database.query(asking)).length > 0, { what: 'somebody waits' });
  }

  isUnderway(name: string): Promise<Kept> {
    return until(async () => (await this.keptOf(name)).find(({ status }) => status === 'processing'), {
      what: `${name} is underway`,
    });
  }
}

/** A decoder that waits while there is a file `hold`, crashes once for a file `kill`, and fails once for a file `fail`. */
function heldDecoder(folder: string): URL {
  const compiled = (path: string): string =>
    JSON.stringify(new URL(`../../../packages/server/dist/${path}`, import.meta.url).href);
  const file = join(folder, 'decoder.mjs');
  writeFileSync(
    file,
    `import { existsSync, unlinkSync } from 'node:fs';
     import { enableFaults } from ${compiled('domain/fault.js')};
     const [hold, kill, fail] = ['hold', 'kill', 'fail'].map((name) => ${JSON.stringify(folder)} + '/' + name);
     enableFaults(async (point) => {
       if (point !== 'decoder.before_decode') return;
       if (existsSync(kill)) { unlinkSync(kill); process.abort(); }
       if (existsSync(fail)) { unlinkSync(fail); throw new Error('out of order'); }
       while (existsSync(hold)) await new Promise((resolve) => setTimeout(resolve, 5));
     });
     await import(${compiled('imaging/processes/decoder-process.js')});`,
  );
  return pathToFileURL(file);
}

export const reasonOf = (answer: Response): string => `${answer.status} ${answer.headers.get('x-rowlock-reason')}`;

/** What a picture is: its format and its size. */
export async function shapeOf(answer: Response | Blob): Promise<string> {
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (answer instanceof Response) assert.equal(answer.status, 200, bytes.toString('utf8').slice(0, 300));
  const { format, width, height, exif } = await sharp(bytes).metadata();
  assert.equal(exif, undefined);
  return `${format === 'heif' ? 'avif' : format} ${width}x${height}`;
}
