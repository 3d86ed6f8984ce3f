import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import type { Handlers, JobHandler } from './job-handler.ts';
import { Worker } from './worker.ts';

interface Kinds {
  send_email: { readonly to: string };
  count_rows: { readonly table: string };
}

test('handlers of a typed worker get the arguments of their kind, and no other kinds are taken', () => {
  const recipients: string[] = [];
  const handlers: Handlers<Kinds> = { send_email: { perform: ({ args }) => recipients.push(args.to) } };
  const wrong: Handlers<Kinds> = {
    // @ts-expect-error there is no such argument
    count_rows: { perform: ({ args }) => args.to },
    // @ts-expect-error there is no such kind
    send_mail: { perform: () => undefined },
  };
  const decoding: JobHandler<{ readonly n: number }> = {
    decode: (args) => ({ n: Number(args) }),
    perform: ({ args }) => args.n.toFixed(),
  };
  // @ts-expect-error what is decoded is not what the kind takes
  const mistaken: JobHandler<{ readonly n: number }> = { decode: () => 'text', perform: ({ args }) => args.n };

  const options = { database: new pg.Pool(), schema: 'metadata', queues: { default: { maxWorkers: 1 } } };
  const typed = new Worker<Kinds>({ ...options, handlers });
  const untyped = new Worker({ ...options, handlers: { anything: decoding } });

  assert.notEqual(typed.clientId, undefined);
  assert.notEqual(untyped.clientId, undefined);
  assert.equal(Object.keys(wrong).length, 2);
  assert.notEqual(mistaken, undefined);
});
