import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seededRandom } from '@rowlock/test-harness';
import { QueueDatabase } from '../queue-fixture.test.ts';
import { type Candidate, Election } from './leader-fixture.test.ts';

const secondMs = 1000;
/** The row lives 15 s, and the others try every five to six. */
const handOverMs = (15 + 6) * secondMs;

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

async function election(ids: readonly string[]): Promise<{ readonly held: Election; readonly all: Candidate[] }> {
  const held = await Election.open(await database.schema());
  const all = ids.map((id) => held.add(id));
  await held.run(0);
  return { held, all };
}

const events = ({ observations }: Candidate): string[] => observations.map(({ event }) => event);

test('of five workers at most one leads at any time, and the fleet is soon led again, over hours of faults', async () => {
  const hours = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
  const random = seededRandom();
  const held = await Election.open(await database.schema(), random);
  for (let number = 1; number <= 5; number += 1) held.add(`worker ${number}`);
  let [added, unledSince, longestUnled] = [5, 0, 0];
  const look = (): void => {
    const leaders = held.leaders.map(({ id }) => id);
    assert.ok(leaders.length <= 1, `${leaders.join(' and ')} lead at ${held.time} ms; seed ${random.seed}`);
    longestUnled = Math.max(longestUnled, held.time - unledSince);
    if (leaders.length > 0) unledSince = held.time;
  };

  while (held.time < hours * 3600 * secondMs) {
    const victim =
      random.integer(2) === 0 ? (held.leaders[0] ?? random.pick(held.candidates)) : random.pick(held.candidates);
    switch (random.integer(6)) {
      case 0:
        held.kill(victim);
        added += 1;
        held.add(`worker ${added}`);
        break;
      case 1:
        victim.suspendedUntil = held.time + random.integer(40) * secondMs;
        break;
      case 2:
        held.tell('{"action": "request_resign", "leader_id": ""}');
        break;
      default:
        victim.link = random.pick(['refused', 'silent', 'deaf', 'deaf'] as const);
    }
    await held.run(random.integer(60 * secondMs), look);
    victim.link = 'up';
    await held.run(random.integer(120 * secondMs), look);
  }

  // Somebody elected without hearing of it costs the fleet one more term.
  assert.ok(longestUnled <= 2 * handOverMs + 10 * secondMs, `${longestUnled} ms unled; seed ${random.seed}`);
  await held.close();
});

test('a term is renewed for as long as its worker lives', async () => {
  const { held, all } = await election(['one', 'two']);

  await held.run(900 * secondMs);

  assert.deepEqual(held.leaders, [all[0]]);
  assert.deepEqual(events(all[0] as Candidate), ['leader_elected']);
  assert.ok(((await held.row())?.left_ms ?? 0) >= 10 * secondMs);
  await held.close();
});

test('when the leader is killed another one leads as soon as its term has expired and an interval has passed', async () => {
  const { held, all } = await election(['one', 'two', 'three']);
  await held.run(60 * secondMs);

  held.kill(all[0] as Candidate);
  await held.run(handOverMs);

  assert.equal(held.leaders.length, 1);
  await held.close();
});

test('when the leader stops another one leads within a second, since it is told', async () => {
  const { held, all } = await election(['one', 'two', 'three']);
  await held.run(61 * secondMs); // the others have just tried, and would not again for four seconds

  const stopped = all[0]?.elector.stop();
  await held.settle();
  await stopped;
  await held.run(secondMs - 1);

  assert.equal(held.leaders.length, 1);
  assert.notEqual(held.leaders[0], all[0]);
  assert.equal(all[0]?.observations.at(-1)?.event, 'leader_resigned');
  assert.equal(all[0]?.clock.timers, 0);
  await held.close();
});

for (const link of ['refused', 'silent', 'deaf'] as const) {
  test(`a leader whose connection is ${link} steps down before its row expires`, async () => {
    const { held, all } = await election(['one']);
    const [one] = all as [Candidate];
    await held.run(60 * secondMs);

    one.link = link;
    while (held.leaders.length > 0) await held.run(50);
    const leftAtEnd = (await held.row())?.left_ms;

    assert.ok(events(one).includes('leader_lost'));
    assert.ok(leftAtEnd !== undefined && leftAtEnd > 0, `${leftAtEnd} ms were left`);
    await held.close();
  });
}

test('a renewal whose answer comes after the step-down is undone, so that another one need not wait', async () => {
  const { held, all } = await election(['one']);
  const [one] = all as [Candidate];
  await held.run(secondMs);
  one.link = 'slow';
  await held.run(14 * secondMs);
  const before = await held.row();
  const isLed = held.leaders.length > 0;

  one.link = 'up';
  await held.release();

  assert.equal(isLed, false);
  assert.ok((before?.left_ms ?? 0) > 10 * secondMs);
  assert.equal(await held.row(), undefined);
  await held.close();
});

test('a leader whose row was lost, and taken over under its own id, notices that the term is another one', async () => {
  const queue = await database.schema();
  const held = await Election.open(queue);
  const one = held.add('one');
  await held.run(7 * secondMs);
  await queue.sql('TRUNCATE S.river_leader'); // as when the server recovers from a crash: the table is not logged
  const twin = held.add('one');
  await held.run(0);
  const leadsTwin = held.leaders.includes(twin);

  await held.run(30 * secondMs);

  assert.ok(leadsTwin);
  assert.deepEqual(held.leaders, [twin]);
  assert.ok(one.observations.some((seen) => seen.event === 'leader_lost' && seen.why === 'replaced'));
  await held.close();
});

test('a leader that is asked to resign does, and leaves the lead to another', async () => {
  const { held, all } = await election(['one', 'two']);
  await held.run(secondMs);

  held.tell('{"action":"request_resign","leader_id":"two"}');
  await held.run(0);
  const stillLeads = held.leaders[0] === all[0];
  held.tell('{"leader_id":"one","action":"request_resign","unknown":[1]}');
  await held.run(secondMs);

  assert.ok(stillLeads);
  assert.deepEqual(held.leaders, [all[1]]);
  assert.deepEqual(events(all[0] as Candidate), ['leader_elected', 'leader_resigned']);
  await held.close();
});

test('a leader that is asked to resign again and again does so no more than once in ten seconds', async () => {
  const { held, all } = await election(['one']);
  await held.run(secondMs);

  for (let asked = 0; asked < 90; asked += 1) {
    held.tell('{"action":"request_resign","leader_id":""}');
    await held.run(100);
  }

  assert.deepEqual(events(all[0] as Candidate), ['leader_elected', 'leader_resigned', 'leader_elected']);
  await held.close();
});

test('claims that somebody has resigned make a candidate try no more than four times a second', async () => {
  const { held, all } = await election(['one', 'two']);
  await held.run(2 * secondMs);
  const before = all[1]?.sent.length ?? 0;

  for (let told = 0; told < 200; told += 1) {
    held.tell('{"leader_id":"nobody","action":"resigned"}');
    await held.run(10);
  }

  assert.deepEqual(held.leaders, [all[0]]);
  assert.ok((all[1]?.sent.length ?? 0) - before <= 9);
  await held.close();
});

test('what is no news of an election is ignored', async () => {
  const { held, all } = await election(['one', 'two']);
  await held.run(secondMs);

  for (const payload of ['', 'null', '[]', '{}', '{"action":7}', '{"action":"request_resign","leader_id":7}', '{']) {
    held.tell(payload);
  }
  await held.run(secondMs);

  assert.deepEqual(events(all[0] as Candidate), ['leader_elected']);
  assert.equal(all[0]?.sent.length, 1);
  await held.close();
});

test('a row that expired is taken over, and one that has not is left alone, whoever owns it', async () => {
  const queue = await database.schema();
  const held = await Election.open(queue);
  await queue.sql(
    `INSERT INTO S.river_leader (leader_id, elected_at, expires_at)
     VALUES ('go', '2026-03-01 00:00:00Z', '2026-03-01 00:00:30Z')`,
  );
  held.add('one');

  await held.run(29 * secondMs);
  const before = held.leaders.length;
  await held.run(7 * secondMs);

  assert.equal(before, 0);
  assert.equal(held.leaders.length, 1);
  await held.close();
});
