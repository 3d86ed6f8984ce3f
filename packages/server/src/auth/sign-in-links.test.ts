import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SignInLinks } from './sign-in-links.ts';

const howToGetAnother = 'run it again';

test('a token is exchanged for its key once', async () => {
  const links = new SignInLinks({ howToGetAnother });
  const token = links.issue(async () => 'the key');
  const other = links.issue(async () => 'another key');

  const key = await links.redeem(token);

  assert.equal(key, 'the key');
  await assert.rejects(links.redeem(token), /This link was used; run it again for a new one/);
  assert.equal(await links.redeem(other), 'another key');
});

test('two who redeem a token at once do not both get the key', async () => {
  const links = new SignInLinks({ howToGetAnother });
  const token = links.issue(async () => 'the key');

  const outcomes = await Promise.allSettled([links.redeem(token), links.redeem(token)]);

  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
});

test('a token that is too old or that nobody issued gives nothing', async () => {
  let now = 1_000_000;
  const links = new SignInLinks({ howToGetAnother, lifetimeMs: 60_000, now: () => now });
  const token = links.issue(async () => 'the key');
  now += 60_000;

  await assert.rejects(links.redeem(token), /This link is too old/);
  await assert.rejects(links.redeem(`${token}x`), /This link is not known here/);
  await assert.rejects(links.redeem(''), /This link is not known here/);
});
