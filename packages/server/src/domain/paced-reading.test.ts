import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detectMediaType } from './media-type.ts';
import { paceReading } from './paced-reading.ts';

/** An archive that asks for a read for each of its entries. */
function archiveOf(entries: number): Buffer {
  const entry = Buffer.alloc(31);
  entry.writeUInt32LE(0x04034b50, 0);
  entry.writeUInt16LE(20, 4);
  entry.writeUInt16LE(1, 26);
  entry.write('a', 30);
  return Buffer.concat(Array.from({ length: entries }, () => entry));
}

/** How often the event loop turned while something was done. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  await work();
  isDone = true;
  return turns;
}

test('45 an archive of many entries lets others run between its reads', async () => {
  const archive = archiveOf(2000);

  const turns = await turnsDuring(() => detectMediaType(archive, { sliceMs: 0, timeoutMs: 60_000 }));

  assert.ok(turns > 1000, `${turns} turns`);
  assert.equal(await detectMediaType(archive), 'application/zip');
});

test('45 detection whose time is up has detected nothing, or what it had seen', async () => {
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

  assert.equal(await detectMediaType(png, { sliceMs: 5, timeoutMs: 0 }), undefined);
});

test('45 a parser that would read for ever is ended by its time, however it reads', async () => {
  for (const method of ['readBuffer', 'peekBuffer'] as const) {
    const endless = { readBuffer: async () => 1, peekBuffer: async () => 1 };
    paceReading(endless, { sliceMs: 0, timeoutMs: 20 });

    const turns = await turnsDuring(() =>
      assert.rejects(async () => {
        for (;;) await endless[method]();
      }, /too long/),
    );

    assert.ok(turns > 2, `${turns} turns`);
  }
});
