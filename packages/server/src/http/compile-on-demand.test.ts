import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastify, { type FastifyInstance } from 'fastify';
import { compileOnDemand } from './compile-on-demand.ts';

function appWith(schema: object): FastifyInstance {
  const app = fastify({ ajv: { onCreate: compileOnDemand } });
  app.post('/', { schema: { body: schema } }, () => 'taken');
  return app;
}

const send = async (app: FastifyInstance, body: object): Promise<readonly [number, string]> => {
  const { statusCode, body: text } = await app.inject({ method: 'POST', url: '/', payload: body });
  return [statusCode, text];
};

test('a schema that is compiled on demand takes and refuses as it should, and says why, every time', async () => {
  const app = appWith({ type: 'object', required: ['name'], properties: { name: { type: 'string' } } });

  const answers = [
    await send(app, { name: 'a' }),
    await send(app, {}),
    await send(app, {}),
    await send(app, { name: '' }),
  ];

  assert.deepEqual(
    answers.map(([status]) => status),
    [200, 400, 400, 200],
  );
  assert.match(answers[1]?.[1] ?? '', /must have required property 'name'/);
  assert.deepEqual(answers[1], answers[2]);
  await app.close();
});

test('a start compiles nothing: a schema that cannot be compiled fails the request that needs it', async () => {
  const app = appWith({ type: 'nonsense' });

  await app.ready();
  const [status] = await send(app, {});

  assert.equal(status, 500);
  await app.close();
});
