/** Links that sign in to the console of a development server: once, from its own page, made for the service role alone. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SignInLinks } from '@rowlock/server';
import { signToken, startService, type TestService } from '@rowlock/test-harness';

let service: TestService;
const links = new SignInLinks({ howToGetAnother: 'run rowlock console' });
const keyOf = (as: 'service' | 'user'): Promise<string> =>
  signToken(as === 'service' ? { role: 'service_role' } : { role: 'authenticated', sub: 'demo-user' });

before(async () => {
  service = await startService({ workers: false, config: { console_sign_in: { links, keyOf } } });
});
after(() => service?.stop());

function exchange(token: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return service.fetch('/storage/v1/console/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: new URL(service.url).origin, ...headers },
    body: JSON.stringify({ token }),
  });
}

function askForLink(as: string | undefined, body: object = {}): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return service.fetch('/storage/v1/console/links', { as, method: 'POST', headers, body: JSON.stringify(body) });
}

async function roleOf(answer: Response): Promise<string> {
  const { key } = (await answer.json()) as { readonly key: string };
  const who = await fetch(`${service.url}/storage/v1/caller`, { headers: { authorization: `Bearer ${key}` } });
  return ((await who.json()) as { readonly role: string }).role;
}

test('a link gives a key once, and says how to get another', async () => {
  const token = links.issue(() => keyOf('service'));

  const first = await exchange(token);
  const second = await exchange(token);

  assert.equal(first.headers.get('cache-control'), 'no-store');
  assert.equal(await roleOf(first), 'service_role');
  assert.equal(second.status, 401);
  assert.match(await second.text(), /This link was used; run rowlock console for a new one/);
});

test('a page of another origin is refused, and the link still works', async () => {
  const token = links.issue(() => keyOf('service'));

  const refused = await Promise.all([
    exchange(token, { origin: 'http://localhost:5173' }),
    exchange(token, { origin: 'null' }),
    exchange(token, { origin: '' }),
  ]);
  const own = await exchange(token);

  assert.deepEqual(
    refused.map(({ status }) => status),
    [403, 403, 403],
  );
  assert.equal(own.status, 200);
});

test('the service role makes links, for itself or for the user of the application', async () => {
  const made = (await (await askForLink('service', { as: 'user' })).json()) as { readonly token: string };

  const statuses = await Promise.all(
    [askForLink('ann'), askForLink(undefined)].map(async (each) => (await each).status),
  );

  assert.deepEqual(statuses, [403, 403]);
  assert.equal(await roleOf(await exchange(made.token)), 'authenticated');
});

test('a service without links has no such routes', async () => {
  const plain = await startService({ workers: false });

  const answer = await plain.fetch('/storage/v1/console/session', { method: 'POST', body: '{}' });
  await plain.stop();

  assert.equal(answer.status, 404);
});
