/** The route that stores send events to: who may, how they say so, and what it costs to be somebody else. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fastify, { type FastifyInstance } from 'fastify';
import type { Observation } from '../../domain/observation.ts';
import type { StoreEvent } from '../../domain/store-events.ts';
import { DescriptorRelief } from '../descriptor-relief.ts';
import { installErrors } from '../errors.ts';
import { storeEventRoutes } from './store-event-routes.ts';

const secret = 'events-secret-of-at-least-32-bytes-.-';
let app: FastifyInstance;
let said: StoreEvent[];
let observed: Observation[];
let opened: string[];
let confirmed: () => Promise<Response>;

before(async () => {
  app = fastify();
  installErrors(app, () => undefined, {
    relief: new DescriptorRelief({ closeClients: () => undefined, closeDatabase: () => undefined }),
  });
  await app.register(async (scope) =>
    storeEventRoutes(scope, {
      secret,
      announce: async (events) => {
        said.push(...events);
        return { arrived: events.length, rechecked: 0, adopted: 0, unknown: 0, foreign: 0 };
      },
      observe: (observation) => observed.push(observation),
      fetch: async (url) => {
        opened.push(String(url));
        return confirmed();
      },
    }),
  );
});
after(() => app.close());

const event = {
  Records: [{ eventName: 'ObjectCreated:Put', s3: { bucket: { name: 'b' }, object: { key: 'k%2F1' } } }],
};

async function send(
  body: unknown,
  headers: Readonly<Record<string, string>> = { authorization: `Bearer ${secret}` },
): Promise<{ readonly status: number; readonly json: Record<string, unknown> }> {
  said = [];
  observed = [];
  opened = [];
  confirmed = async () => new Response('<xml/>');
  const payload = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await app.inject({ method: 'POST', url: '/events/s3', payload, headers });
  return { status: answer.statusCode, json: answer.json() };
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

test('the secret is said as a bearer token, alone as MinIO does, or as the password of any name', async () => {
  for (const authorization of [
    `Bearer ${secret}`,
    `bearer  ${secret}`,
    secret,
    basic(`rowlock:${secret}`),
    basic(`:${secret}`),
  ]) {
    const { status, json } = await send(event, { authorization });

    assert.deepEqual([status, json['arrived']], [200, 1], authorization);
    assert.deepEqual(said, [{ bucket: 'b', key: 'k/1' }]);
  }
});

test('without the secret or with another one nothing is read', async () => {
  const tries: readonly (string | undefined)[] = [
    undefined,
    'Bearer',
    'Bearer ',
    `Bearer ${secret}x`,
    `Bearer ${secret.slice(1)}`,
    `Bearer ${secret} ${secret}`,
    `Digest ${secret}`,
    basic(secret.slice(1)),
    basic(`${secret}:`),
    'Basic %%%',
    '',
  ];
  for (const authorization of tries) {
    const { status } = await send('{"not JSON', authorization === undefined ? {} : { authorization });

    assert.equal(status, 401, String(authorization));
    assert.deepEqual([said, observed], [[], []]);
  }
});

test('whatever a store says that its JSON is, it is read as such', async () => {
  for (const type of [
    'application/json',
    'text/plain; charset=UTF-8',
    'application/x-www-form-urlencoded',
    undefined,
  ]) {
    const { status } = await send(event, {
      authorization: secret,
      ...(type === undefined ? {} : { 'content-type': type }),
    });

    assert.deepEqual([status, said.length], [200, 1], type);
  }
});

test('what is no event is answered 200 and counted; what is no JSON, or too much, is refused', async () => {
  const other = await send({ Event: 's3:TestEvent' });
  const many = await send({ Records: Array.from({ length: 1001 }, () => event.Records[0]) });
  const broken = await send('{"Records":');
  const large = await send(`{"Records":[],"x":"${'x'.repeat(1_048_576)}"}`);

  assert.deepEqual(other, {
    status: 200,
    json: { arrived: 0, rechecked: 0, adopted: 0, unknown: 0, ignored: 1 },
  });
  assert.deepEqual([many.status, broken.status, large.status], [400, 400, 413]);
});

test('SNS is told that it may send, by a URL of its own only', async () => {
  const url = 'https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=x';
  const asked = { Type: 'SubscriptionConfirmation', SubscribeURL: url };

  const good = await send(asked);
  assert.deepEqual([good.status, opened], [200, [url]]);
  const evil = await send({ ...asked, SubscribeURL: 'http://169.254.169.254/?Action=ConfirmSubscription' });
  assert.deepEqual([evil.status, opened], [200, []]);
  assert.equal(observed.filter(({ type }) => type === 'lifecycle').length, 1);
});
