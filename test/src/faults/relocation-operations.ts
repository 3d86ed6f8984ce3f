/**
 * What people do with objects that are there: move, copy, move folders, and upload by a signed URL, in the form of
 * `operations.ts`. A move is recorded as a delete of the one name and a write of the other, which it must be at once.
 */
import assert from 'node:assert/strict';
import { contentOf } from '@rowlock/test-harness';
import { ask, asOutcome, bucket, type FaultySite, largeBytes, writeObject } from './faulty-site.ts';
import type { Attempt, Operation, Result } from './operations.ts';

const post = (body: object): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

async function arrangeObject(site: FaultySite, name: string): Promise<void> {
  assert.equal(await writeObject(site, name, `old ${name}`), 201);
}

/** A request after which objects have other names. */
function moveOf(site: FaultySite, names: readonly (readonly [from: string, to: string])[], request: string): Attempt {
  const { history, service } = site;
  return async () => {
    let status: Result = 'lost';
    const [path = '', body = ''] = request.split(' ');
    const send = async () => {
      ({ status } = await ask(service, path, { ...post({}), body }));
      return asOutcome(status);
    };
    const recorded = names.reduce(
      (inner, [from, to]) =>
        () =>
          history.delete(`${bucket}/${from}`, () => history.write(`${bucket}/${to}`, contentOf(`old ${from}`), inner)),
      send,
    );
    await recorded();
    return status;
  };
}

/** Moves, copies and signed uploads. */
export const relocationOperations: readonly Operation[] = [
  {
    name: 'move',
    succeeds: [200],
    repeated: [404],
    arrange: async (site, round) => {
      const [from, to] = [`move-${round}`, `moved/${round}`];
      await arrangeObject(site, from);
      const body = { bucketId: bucket, sourceKey: from, destinationKey: to };
      return moveOf(site, [[from, to]], `/storage/v1/object/move ${JSON.stringify(body)}`);
    },
  },
  {
    name: 'move folder',
    succeeds: [200],
    repeated: [404],
    arrange: async (site, round) => {
      const names = ['a', 'b/c'].map((name) => [`folder-${round}/${name}`, `gone-${round}/${name}`] as const);
      for (const [from] of names) await arrangeObject(site, from);
      const body = { bucketId: bucket, sourcePrefix: `folder-${round}/`, destinationPrefix: `gone-${round}/` };
      return moveOf(site, names, `/storage/v1/object/move-prefix ${JSON.stringify(body)}`);
    },
  },
  {
    name: 'copy',
    succeeds: [200],
    repeated: [409],
    arrange: async (site, round) => {
      const [from, to] = [`copy-${round}`, `copied/${round}`];
      await arrangeObject(site, from);
      const body = { bucketId: bucket, sourceKey: from, destinationKey: to };
      return async () => {
        let status: Result = 'lost';
        await site.history.write(`${bucket}/${to}`, contentOf(`old ${from}`), async () => {
          ({ status } = await ask(site.service, '/storage/v1/object/copy', post(body)));
          return asOutcome(status);
        });
        return status;
      };
    },
  },
  {
    name: 'signed upload',
    succeeds: [201],
    repeated: [410],
    arrange: async (site, round) => {
      const name = `by-link-${round}`;
      const signed = await ask(site.service, `/storage/v1/object/upload/sign/${bucket}/${name}`, post({}));
      const { url } = JSON.parse(signed.body.toString()) as { readonly url: string };
      const body = Buffer.alloc(largeBytes, round);
      return async () => {
        let status: Result = 'lost';
        await site.history.write(`${bucket}/${name}`, contentOf(body), async () => {
          ({ status } = await ask(site.service, `/storage/v1${url}`, { as: undefined, method: 'PUT', body }));
          return asOutcome(status);
        });
        return status;
      };
    },
  },
];
