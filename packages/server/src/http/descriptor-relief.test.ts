import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '@rowlock/test-harness';
import fastify from 'fastify';
import { DescriptorRelief } from './descriptor-relief.ts';

test('for a second after relief every answer ends its connection, and what has come to rest is closed', async () => {
  const closed = { clients: 0, database: 0 };
  const relief = new DescriptorRelief({
    closeClients: () => {
      closed.clients += 1;
    },
    closeDatabase: () => {
      closed.database += 1;
    },
  });
  const app = fastify();
  app.get('/', (_request, reply) => {
    relief.endConnection(reply);
    return 'answer';
  });
  const connectionOf = async (): Promise<unknown> => (await app.inject('/')).headers['connection'];
  const before = await connectionOf();

  relief.relieve();
  relief.relieve();

  assert.equal(before, 'keep-alive');
  assert.equal(await connectionOf(), 'close');
  assert.deepEqual(closed, { clients: 2, database: 2 });
  await until(async () => (await connectionOf()) === 'keep-alive', { what: 'the shortage is over' });
  assert.deepEqual(closed, { clients: 2, database: 3 });
  await app.close();
});
