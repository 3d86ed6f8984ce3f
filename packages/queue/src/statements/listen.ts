/** What is said on a connection that listens: which channels, and whether anybody is still there. */
import type { ClientBase } from 'pg';
import { channelName, type SchemaName, type Topic } from '../schema-name.ts';
import { run, type Statement } from './statement.ts';

const ping: Statement = { name: 'rowlock_ping', text: 'SELECT 1 AS one' };

/** Listens to a topic of a schema. */
export async function listenTo(client: ClientBase, schema: SchemaName, topic: Topic): Promise<void> {
  await client.query(`LISTEN "${channelName(schema, topic)}"`);
}

/** Returns when the server has answered; fails when it does not. */
export async function pingServer(client: ClientBase): Promise<void> {
  await run(client, ping);
}
