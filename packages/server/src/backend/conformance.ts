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

/** Registers the suite; call it once in a test file of the backend. */
export function backendConformance(name: string, makeBackend: MakeBackend): void {
  const check: Check = (what, run) => {
    test(`${name}: ${what}`, async (t) => {
      const backend = await makeBackend(t);
      t.after(() => backend.close());
      await run(backend);
    });
  };
  reading(check);
  writing(check);
  keeping(check);
}
