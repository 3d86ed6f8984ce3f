/**
 * Connections of a pool, and transactions on them or on one that may be in one already. It knows nothing of jobs. A
 * connection of a pool on which anything failed is destroyed, since nobody can be sure of its state.
 */
import type { ClientBase, Pool, PoolClient } from 'pg';
import { command } from './statement.ts';

/** Runs the work in the transaction that the connection is in, or in one of its own where it is in none. */
export async function inTransactionOf<T>(client: ClientBase, work: () => Promise<T>): Promise<T> {
  await command(client, 'SELECT'); // the status is known only after an answer of the server
  if (client.getTransactionStatus() !== 'I') return await work();
  await command(client, 'BEGIN');
  try {
    const result = await work();
    await command(client, 'COMMIT');
    return result;
  } catch (error) {
    await command(client, 'ROLLBACK');
    throw error;
  }
}

/** Runs the work in a transaction on a connection of its own. */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  return await onConnection(pool, async (client) => {
    await command(client, 'BEGIN');
    const result = await work(client);
    await command(client, 'COMMIT');
    return result;
  });
}

/** Runs the work on a connection of its own, which goes back to the pool unless something failed or it is spoilt. */
export async function onConnection<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
  { isSpoilt = false }: { readonly isSpoilt?: boolean } = {},
): Promise<T> {
  const client = await pool.connect();
  client.on('error', toldByItsStatement);
  let mayGoBack = false;
  try {
    const result = await work(client);
    mayGoBack = !isSpoilt;
    return result;
  } finally {
    if (mayGoBack) client.off('error', toldByItsStatement);
    client.release(!mayGoBack);
  }
}

/** A connection that breaks fails the statement under way, or the next one. Without a listener it ends the process. */
function toldByItsStatement(): void {}
