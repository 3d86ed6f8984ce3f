/** Row 45 of the list of attacks: files that cost whoever wants to know their type. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { detectMediaType } from '../../../packages/server/dist/domain/media-type.js';
import { hostileHeads } from './hostile-heads.ts';
import { type Attacked, attacked } from './standing.ts';

let attack: Attacked;

before(async () => {
  attack = await attacked();
  await attack.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('heads', 'olivia')");
  await attack.remember();
});
after(() => attack.stop());

const path = '/storage/v1/object/heads/head.bin';

test('45 no beginning of a file keeps the server from storing it as it is and serving others', async () => {
  for (const [what, head] of Object.entries(hostileHeads)) {
    const [put, other] = await Promise.all([
      attack.service.fetch(path, { as: 'olivia', method: 'PUT', body: new Uint8Array(head) }),
      attack.service.fetch('/healthz'),
    ]);
    const read = await attack.service.fetch(path, { as: 'olivia' });

    assert.deepEqual([put.ok, other.status], [true, 200], what);
    assert.ok(Buffer.from(await read.arrayBuffer()).equals(head), what);
  }
  await attack.service.fetch(path, { as: 'olivia', method: 'DELETE' });
  await attack.assertUnharmed();
});

test('45 ninety of them at once are all stored, and the server goes on', async () => {
  const answers = await Promise.all(
    Object.values(hostileHeads).flatMap((head, i) =>
      Array.from({ length: 5 }, (_, j) =>
        attack.service.fetch(`${path}-${i}-${j}`, { as: 'olivia', method: 'PUT', body: new Uint8Array(head) }),
      ),
    ),
  );

  assert.ok(answers.every((answer) => answer.ok));
  await attack.remember();
  await attack.assertUnharmed();
});

test('45 what a file is called by its beginning does not depend on how long that took', async () => {
  for (const [what, head] of Object.entries(hostileHeads)) {
    const patiently = await detectMediaType(head, { sliceMs: 0, timeoutMs: 60_000 });

    assert.equal(await detectMediaType(head), patiently, what);
  }
});
