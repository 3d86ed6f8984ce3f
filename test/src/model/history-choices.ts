/** What commands choose of older versions, of buckets and of time that passes. It does nothing. */
import fc from 'fast-check';
import { anyAsker, anyBucket, anyChanges, anyDoor, anyQuotas, anySettings, atHistory } from './arbitraries.ts';
import {
  changeBucketAction,
  createBucketAction,
  deleteBucketAction,
  dropBucketAction,
  emptyBucketAction,
} from './bucket-actions.ts';
import { alive, type Choice, given, textAt } from './choice.ts';
import { expireAction, purgeAction, restoreAction, sweepAction } from './version-actions.ts';

const anyVersion = fc.record({ who: anyAsker, at: atHistory, n: fc.nat(5), door: anyDoor, isOther: fc.nat(3) });
export const restores: fc.Arbitrary<Choice> = given(
  'restore',
  anyVersion,
  ({ who, at, n, door, isOther }, { first }) => {
    const place = at(first);
    const text = isOther === 0 ? null : (textAt(first, place, n) ?? null);
    return restoreAction({ who: who(first, place), at: place, text }, door);
  },
);
export const purges: fc.Arbitrary<Choice> = given('purge', anyVersion, ({ who, at, n, door, isOther }, { first }) => {
  const place = at(first);
  const text = isOther === 0 ? undefined : textAt(first, place, n);
  return purgeAction(
    { who: who(first, place), at: place, target: text === undefined ? { marker: n % 2 } : { text } },
    door,
  );
});

export const settings: fc.Arbitrary<Choice> = given(
  'settings',
  fc.record({ who: anyAsker, bucket: anyBucket, changes: anyChanges, quotas: anyQuotas, n: fc.nat(4), door: anyDoor }),
  ({ who, bucket, changes, quotas, n, door }, { first }) => {
    const limits = first.buckets[bucket];
    const isLimited = limits !== undefined && limits.quota_bytes !== null && limits.quota_objects !== null;
    return changeBucketAction(who(first, { bucket }), bucket, n === 0 && isLimited ? quotas : changes, door);
  },
);
export const bucketLives: fc.Arbitrary<Choice> = given(
  'bucket',
  fc.record({ who: anyAsker, bucket: anyBucket, settings: anySettings, n: fc.nat(8) }),
  ({ who: asker, bucket, settings: asked, n }, { first }) => {
    const who = asker(first, { bucket });
    if (first.buckets[bucket] === undefined) return createBucketAction(who, bucket, asked);
    if (n === 0) return dropBucketAction(bucket);
    if (n === 1) return emptyBucketAction(who, bucket);
    return n === 2 ? createBucketAction(who, bucket, asked) : deleteBucketAction(who, bucket, n % 2 === 0);
  },
);

export const housekeeping: fc.Arbitrary<Choice> = given('sweep or expiry', fc.boolean(), (isSweep, worlds) => {
  if (isSweep) return alive(worlds).length === 0 ? sweepAction : undefined;
  return expireAction;
});
