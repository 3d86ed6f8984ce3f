/** What a client does to queues: each one statement that also tells whoever works them. It opens no transaction. */
import { Buffer } from 'node:buffer';
import { jsonbText } from '../jsonb-text.ts';
import { QueueError } from '../queue-error.ts';
import { type QueueRow, queueGet, queueList, queueSetPaused, queueUpdate } from '../statements/queue-control.ts';
import type { Scene } from './change-jobs.ts';
import { checkedLimit } from './job-listing.ts';
import { decodeQueue, type QueueRecord } from './queue-record.ts';

/** Metadata travel in a notification, which holds 8,000 bytes. */
const metadataBytesMax = 7500;

/** Reads a queue. */
export async function getQueue({ on, schema }: Scene, name: string): Promise<QueueRecord> {
  return found(name, await queueGet(on, schema, name));
}

/** Lists queues by name. */
export async function listQueues({ on, schema }: Scene, limit?: number): Promise<readonly QueueRecord[]> {
  return (await queueList(on, schema, checkedLimit(limit))).map(decodeQueue);
}

/** Pauses or resumes a queue, or all of them for `*`. */
export async function setQueuePaused({ on, schema }: Scene, name: string, isPaused: boolean): Promise<void> {
  const count = await queueSetPaused(on, schema, name, isPaused);
  if (count === 0 && name !== '*') throw noQueue(name);
}

/** Replaces the metadata of a queue. */
export async function updateQueue(
  { on, schema }: Scene,
  name: string,
  metadata: Readonly<Record<string, unknown>>,
): Promise<QueueRecord> {
  const text = jsonbText(metadata);
  if (!text.startsWith('{') || Buffer.byteLength(text) > metadataBytesMax) {
    throw new QueueError('invalid_option', `Metadata of a queue are an object of at most ${metadataBytesMax} bytes`);
  }
  return found(name, await queueUpdate(on, schema, name, text));
}

function found(name: string, row: QueueRow | undefined): QueueRecord {
  if (row === undefined) throw noQueue(name);
  return decodeQueue(row);
}

function noQueue(name: string): QueueError {
  return new QueueError('not_found', `There is no queue ${JSON.stringify(name.slice(0, 100))}`);
}
