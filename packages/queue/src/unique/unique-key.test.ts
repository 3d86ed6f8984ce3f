import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { JobState } from '../job.ts';
import { described as argsDescribed, goldens } from './go-described.test.ts';
import { type UniqueJob, type UniqueOptions, uniqueOf, uniqueText } from './unique-key.ts';

interface Case {
  readonly name: string;
  readonly input: {
    readonly kind: string;
    readonly args: unknown;
    readonly queue: string;
    readonly now: string;
    readonly scheduled_at: string | null;
    readonly fields: readonly string[] | null;
    readonly unique: {
      readonly by_args: boolean;
      readonly period_seconds: number;
      readonly by_queue: boolean;
      readonly states: readonly JobState[] | null;
      readonly exclude_kind: boolean;
    };
  };
  readonly string: string | null;
  readonly sha256: string | null;
  readonly mask: number;
  readonly error: string | null;
}

/** What a caller here would say for what Go was told. */
function described({ kind, args, queue, now, scheduled_at, fields, unique }: Case['input']): {
  readonly options: UniqueOptions;
  readonly job: UniqueJob;
} {
  const options: UniqueOptions = {
    byArgs: unique.by_args && (fields ?? true),
    ...(unique.period_seconds === 0 ? {} : { byPeriodSeconds: unique.period_seconds }),
    byQueue: unique.by_queue,
    ...(unique.states === null ? {} : { byState: unique.states }),
    excludeKind: unique.exclude_kind,
  };
  return { options, job: { kind, args: argsDescribed(args), queue, at: Date.parse(scheduled_at ?? now) } };
}

const simple: UniqueJob = {
  kind: 'conformance_simple',
  args: { id: 42 },
  queue: 'priority_emails',
  at: Date.parse('2026-01-02T03:04:05Z'),
};
const later = Date.parse('2026-01-02T05:21:30Z');
const withoutRetryable: readonly JobState[] = ['available', 'completed', 'pending', 'running', 'scheduled'];
const fields = ['path/key', 'account.region', 'label', 'account.id'];

/** The key of `text` is `sha256`, as River publishes it. */
const published: readonly {
  readonly options: UniqueOptions;
  readonly job?: Partial<UniqueJob>;
  readonly text: string;
  readonly sha256: string;
  readonly states?: number;
}[] = [
  {
    options: { byPeriodSeconds: 5400 },
    text: '&kind=conformance_simple&period=2026-01-02T03:00:00Z',
    sha256: '5396f06a082abd7a929915135ebd363a9a47d800176b03ce7736f93a5ba9e22e',
  },
  {
    options: { byPeriodSeconds: 3600 },
    job: { at: later },
    text: '&kind=conformance_simple&period=2026-01-02T05:00:00Z',
    sha256: 'b7f3c49952996b760b8b3ff6cf48f426e03a6ef0f004fb6faa51725365cf309a',
  },
  {
    options: { byQueue: true, excludeKind: true },
    text: '&queue=priority_emails',
    sha256: 'd20ce47da8e8015e68b020bbca2b17494139519ae05f8985e5992db4d8dd8a09',
  },
  {
    options: { byArgs: true, byPeriodSeconds: 60, byQueue: true, byState: withoutRetryable },
    job: { at: later },
    text: '&kind=conformance_simple&args={"id":42}&period=2026-01-02T05:21:00Z&queue=priority_emails',
    sha256: '6f20262e7b1fa9beaf98255f23030800376636484a98b20c2c04a303bab5a8d5',
    states: 213,
  },
  {
    options: { byArgs: true },
    job: { kind: 'conformance_all_args', args: {} },
    text: '&kind=conformance_all_args&args={}',
    sha256: 'fe05a58ddb79a8d4544da962582d9a290d59788c920afd3597da3a62e3c1b0ac',
  },
  {
    options: { byArgs: fields },
    job: { kind: 'conformance_selected_args', args: { other: 1 } },
    text: '&kind=conformance_selected_args&args=',
    sha256: '23aa86692d9807ab10e433e378f1c0804573f5e345818461b919322dd381b4c3',
  },
  {
    options: { byArgs: fields },
    job: {
      kind: 'conformance_selected_args',
      args: { 'path/key': 'slash', account: { region: 'west', note: 'ignored', id: 'acct' } },
    },
    text: '&kind=conformance_selected_args&args={"account":{"id":"acct","region":"west"},"path/key":"slash"}',
    sha256: '7d62e81ac25cfa2dec69ad5a41e0b78188ee1b299bed329b453da6b3abca70bd',
  },
  {
    options: { byArgs: fields },
    job: { kind: 'conformance_selected_args', args: { label: 'selected', account: { id: 'acct-123' } } },
    text: '&kind=conformance_selected_args&args={"account":{"id":"acct-123"},"label":"selected"}',
    sha256: '6130dc4f753402d1faeb6bbc3e6c21415245bb282ad1fd16bcbfeebde525e726',
  },
  {
    options: { byArgs: fields },
    job: { kind: 'conformance_selected_args', args: { label: null } },
    text: '&kind=conformance_selected_args&args={"label":null}',
    sha256: 'd137d7c4f1e3f8369037b1890357655b4fa1978a329bcf51435f9f0b54abcab7',
  },
  {
    options: { byArgs: true },
    job: { kind: 'conformance_all_args', args: { nested: { z: 1, a: 2 } } },
    text: '&kind=conformance_all_args&args={"nested":{"z":1,"a":2}}',
    sha256: '46ff499cb031d0458bb00ef87e7b83321eefb6e7534497c279c4ae0f474cdde0',
  },
];

test('keys are those that River publishes', () => {
  for (const { options, job, text, sha256, states = 245 } of published) {
    const given = { ...simple, ...job };

    assert.equal(uniqueText(options, given), text);
    assert.deepEqual(uniqueOf(options, given), { key: sha256, states }, text);
    assert.equal(createHash('sha256').update(text).digest('hex'), sha256, 'the golden itself');
  }
});

test('keys are those that Go made', () => {
  const cases = goldens<Case>('unique-keys');

  for (const { name, input, string, sha256, mask, error } of cases) {
    const { options, job } = described(input);

    if (error !== null) {
      assert.throws(() => uniqueOf(options, job), { reason: 'invalid_job' }, name);
    } else if (sha256 === null) {
      assert.equal(uniqueOf(options, job), undefined, name);
    } else {
      assert.equal(uniqueText(options, job), string ?? undefined, name);
      assert.deepEqual(uniqueOf(options, job), { key: sha256, states: mask }, name);
    }
  }
  assert.ok(cases.length >= 90);
});

test('a key with a point in it is named by a list of keys', () => {
  const job = { ...simple, args: { 'user.id': 1, user: { id: 2 } } };

  assert.equal(uniqueText({ byArgs: [['user.id']] }, job), '&kind=conformance_simple&args={"user.id":1}');
  assert.equal(uniqueText({ byArgs: ['user.id'] }, job), '&kind=conformance_simple&args={"user":{"id":2}}');
  assert.equal(
    uniqueText({ byArgs: ['user', 'user.id'] }, job),
    '&kind=conformance_simple&args={"user":{"id":2}}',
    'what is inside of a chosen field is there already',
  );
});

test('no fields, fractions of a millisecond and states that every job passes are refused', () => {
  const refused: readonly UniqueOptions[] = [
    { byArgs: [] },
    { byArgs: [[]] },
    { byPeriodSeconds: 1.0001 },
    { byPeriodSeconds: Number.NaN },
    { byPeriodSeconds: Number.POSITIVE_INFINITY },
    { byArgs: true, byState: [] },
  ];

  for (const options of refused) {
    assert.throws(() => uniqueOf(options, simple), { reason: 'invalid_job' }, JSON.stringify(options));
  }
});

test('nothing that counts is no key', () => {
  assert.equal(uniqueOf({}, simple), undefined);
  assert.equal(uniqueOf({ byArgs: false, byQueue: false, excludeKind: false }, simple), undefined);
});
