import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { refreshWhileVisible } from './refresh-while-visible.ts';

/** There is no page here: what is asked of one is whether it is hidden, and to be told. */
class PageOfTest extends EventTarget {
  hidden = false;
  show(isShown: boolean): void {
    this.hidden = !isShown;
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

let page: PageOfTest;
let ending: AbortController;
let asked: number;

/** Lets what was resolved go on; timers stand still. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

async function pass(ms: number): Promise<void> {
  mock.timers.tick(ms);
  await settled();
}

const ask = async (): Promise<void> => {
  asked += 1;
};

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  page = new PageOfTest();
  Object.assign(globalThis, { document: page });
  ending = new AbortController();
  asked = 0;
});
afterEach(() => {
  ending.abort();
  mock.timers.reset();
  Reflect.deleteProperty(globalThis, 'document');
});

test('it asks at once, and then every two seconds', async () => {
  refreshWhileVisible(ending.signal, ask);
  await settled();
  const atOnce = asked;

  await pass(1999);
  const before = asked;
  await pass(2000);

  assert.deepEqual([atOnce, before, asked], [1, 1, 2]);
});

test('a page that is hidden asks nothing, and asks at once when it is seen again', async () => {
  refreshWhileVisible(ending.signal, ask);
  await settled();

  page.show(false);
  await pass(60_000);
  const whileHidden = asked;
  page.show(true);
  await settled();

  assert.deepEqual([whileHidden, asked], [1, 2]);
});

test('a page that is hidden while it waits for an answer does not ask again', async () => {
  let answer: (() => void) | undefined;
  refreshWhileVisible(ending.signal, () => {
    asked += 1;
    return new Promise((resolve) => {
      answer = resolve;
    });
  });

  page.show(false);
  answer?.();
  await settled();
  await pass(60_000);

  assert.equal(asked, 1);
});

test('an answer that takes long is followed by a pause that is twenty times as long', async () => {
  let now = 0;
  const clock = mock.method(performance, 'now', () => now);
  refreshWhileVisible(ending.signal, async () => {
    asked += 1;
    now += 500;
  });
  await settled();

  await pass(9_999);
  const before = asked;
  await pass(1);
  clock.mock.restore();

  assert.deepEqual([before, asked], [1, 2]);
});

test('what is asked for while an answer is under way is asked once, after it', async () => {
  let answer: (() => void) | undefined;
  const look = refreshWhileVisible(ending.signal, () => {
    asked += 1;
    return new Promise((resolve) => {
      answer = resolve;
    });
  });

  look();
  look();
  const during = asked;
  answer?.();
  await settled();
  await pass(0);

  assert.deepEqual([during, asked], [1, 2]);
});

test('when its view is left it asks no more', async () => {
  refreshWhileVisible(ending.signal, ask);
  await settled();

  ending.abort();
  await pass(60_000);
  page.show(true);
  await settled();

  assert.equal(asked, 1);
});
