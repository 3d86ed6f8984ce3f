/**
 * Decoder processes that break, for tests: the real one with something done at one of its fault points, or none at
 * all. It is not part of the service. Invariant: what is written to disk goes with the test.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { FaultPoint } from '../../domain/fault.ts';
import { DecoderPool, type DecoderPoolOptions } from './decoder-pool.ts';

const compiled = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);

/** A module that runs a piece of JavaScript at a fault point, in which `require` is Node's. */
export function faultyDecoder(t: TestContext, point: FaultPoint, script: string): URL {
  return decoderModule(
    t,
    `import { createRequire } from 'node:module';
     import { enableFaults } from ${compiled('../../domain/fault.js')};
     const require = createRequire(import.meta.url);
     enableFaults(async (point) => { if (point === '${point}') { ${script} } });
     await import(${compiled('./decoder-process.js')});`,
  );
}

/** A module of the given text. */
export function decoderModule(t: TestContext, text: string): URL {
  const folder = mkdtempSync(join(tmpdir(), 'rowlock-faulty-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'decoder.mjs');
  writeFileSync(file, text);
  return pathToFileURL(file);
}

/** A pool of one process that stops with the test, and what it reported. */
export function poolFor(
  t: TestContext,
  options: Partial<DecoderPoolOptions> = {},
): { readonly pool: DecoderPool; readonly reported: string[] } {
  const reported: string[] = [];
  const pool = new DecoderPool({
    size: 1,
    observe: (observation) => {
      if (observation.type === 'queue') reported.push(observation.message);
    },
    ...options,
  });
  t.after(() => pool.stop());
  return { pool, reported };
}
