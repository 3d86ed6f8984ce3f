/**
 * The tests that every backend passes, registered with `node:test` under the backend's name. What is special
 * to one store is tested beside that store. Invariant: it uses the interface only, so that a backend which
 * passes can take any other's place.
 */
import { type TestContext, test } from 'node:test';
import type { Backend } from './backend.ts';
import { keeping } from './conformance/keeping.ts';
import { reading } from './conformance/reading.ts';
import type { Check } from './conformance/sample-bytes.ts';
import { writing } from './conformance/writing.ts';

/** Makes an empty backend for one test and arranges with `t.after` for its removal. */
export type MakeBackend = (t: TestContext) => Promise<Backend>;

export interface ConformanceOptions {
  /** So many bytes of a running put are somewhere that `listUnfinished` sees; fewer may be in memory. Default: 600,000. */
  readonly unfinishedFromBytes?: number;
  /** More than one page of a list, in keys. Default: 1,100. */
  readonly listedKeys?: number;
  /** Puts and deletes of each of eight writers in one folder. Default: 25. */
  readonly roundsInFolder?: number;
}

/** Registers the suite; call it once in a test file of the backend, or for each way to open one. */
export function backendConformance(name: string, makeBackend: MakeBackend, options: ConformanceOptions = {}): void {
  const { unfinishedFromBytes = 600_000, listedKeys = 1100, roundsInFolder = 25 } = options;
  const check: Check = (what, run) => {
    test(`${name}: ${what}`, async (t) => {
      const backend = await makeBackend(t);
      t.after(() => backend.close());
      await run(backend);
    });
  };
  reading(check);
  writing(check, unfinishedFromBytes);
  keeping(check, { listedKeys, roundsInFolder });
}
