/**
 * What the types of a client's options promise. The functions are compiled and never called; that a wrong call does not
 * compile is asked of the types themselves, since a test must not be compiled with an error in it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from './client.ts';
import type { AnyKinds, JobOf, JobOfKind } from './client-options.ts';

interface Kinds {
  send_email: { to: string };
  report: { day: string; pages?: number };
}

type Fits<Job, Wanted> = Job extends Wanted ? true : false;
type Same<One, Other> = (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;

const isTrue = <Claim extends true>(claim: Claim): boolean => claim;
const isFalse = <Claim extends false>(claim: Claim): boolean => !claim;

test('arguments are checked against their kind', () => {
  const claims = [
    isTrue<Fits<{ kind: 'send_email'; args: { to: string } }, JobOf<Kinds>>>(true),
    isTrue<Fits<{ kind: 'report'; args: { day: string }; queue: string }, JobOf<Kinds>>>(true),
    isFalse<Fits<{ kind: 'send_email'; args: { day: string } }, JobOf<Kinds>>>(false),
    isFalse<Fits<{ kind: 'send_email'; args: { to: number } }, JobOf<Kinds>>>(false),
    isFalse<Fits<{ kind: 'unknown'; args: { to: string } }, JobOf<Kinds>>>(false),
    isFalse<Fits<{ kind: 'report'; args: { day: string }; priority: string }, JobOf<Kinds>>>(false),
  ];

  assert.ok(claims.every(Boolean));
});

test('without kinds, any kind takes any arguments', () => {
  assert.ok(isTrue<Fits<{ kind: string; args: { anything: 1 } }, JobOf<AnyKinds>>>(true));
  assert.ok(isFalse<Fits<{ args: unknown }, JobOf<AnyKinds>>>(false));
});

test('what an insert returns has the arguments of its kind', () => {
  const insert = async (client: Client<Kinds>, job: JobOfKind<Kinds, 'report'>) => (await client.insert(job)).job.args;

  assert.ok(isTrue<Same<Awaited<ReturnType<typeof insert>>, Kinds['report']>>(true));
});
