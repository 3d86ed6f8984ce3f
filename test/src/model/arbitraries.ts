/**
 * What fast-check chooses: callers, places, bodies, settings. A place is one of few names, or one that has something now,
 * so that commands meet. It runs nothing.
 */
import fc from 'fast-check';
import { bucketNames, objectNames } from './comparison.ts';
import type { Place } from './relocations.ts';
import { type BucketSettings, type Metadata, objectAt, type Who, type World } from './world.ts';

export const anyWho: fc.Arbitrary<Who> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Who>('ann') },
  { weight: 4, arbitrary: fc.constant<Who>('ben') },
  { weight: 2, arbitrary: fc.constant<Who>('service') },
  { weight: 1, arbitrary: fc.constant<Who>('anon') },
);
/** Who asks, once it is known for what. */
export type Asker = (world: World, at: Pick<Place, 'bucket'> & Partial<Place>) => Who;

const owner: Asker = (world, { bucket, name }) => {
  const item = name === undefined ? undefined : objectAt(world, bucket, name);
  const whose = item === undefined ? world.buckets[bucket]?.owner : item.owner;
  return whose === 'ann' || whose === 'ben' ? whose : 'service';
};

/** Whoever owns what it is about, or the bucket; now and then anybody. */
export const anyAsker: fc.Arbitrary<Asker> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(owner) },
  { weight: 2, arbitrary: fc.constant<Asker>((world, { bucket }) => owner(world, { bucket })) },
  {
    weight: 3,
    arbitrary: anyWho.map(
      (who): Asker =>
        () =>
          who,
    ),
  },
);

export const anyDoor: fc.Arbitrary<'http' | 'sql'> = fc.constantFrom('http', 'sql');
export const anyBucket: fc.Arbitrary<string> = fc.constantFrom(...bucketNames);
export const anyName: fc.Arbitrary<string> = fc.constantFrom(...objectNames);
export const anyPlace: fc.Arbitrary<Place> = fc.record({ bucket: anyBucket, name: anyName });

/** A place that is known once the world is. */
export type Somewhere = (world: World) => Place;

const fixed = anyPlace.map(
  (at): Somewhere =>
    () =>
      at,
);

function among(rowsOf: (world: World) => readonly Place[]): fc.Arbitrary<Somewhere> {
  return fc.tuple(fc.nat(1000), anyPlace).map(
    ([n, otherwise]): Somewhere =>
      (world) => {
        const rows = rowsOf(world);
        const { bucket, name } = rows[n % Math.max(rows.length, 1)] ?? otherwise;
        return { bucket, name };
      },
  );
}

/** Somewhere, more often than not where an object is. */
export const anywhere: fc.Arbitrary<Somewhere> = fc.oneof(
  { weight: 1, arbitrary: fixed },
  { weight: 2, arbitrary: among(({ objects }) => objects) },
);
/** Somewhere where an object is, if there is one. */
export const atObject: fc.Arbitrary<Somewhere> = fc.oneof(
  { weight: 1, arbitrary: fixed },
  { weight: 8, arbitrary: among(({ objects }) => objects) },
);
/** Somewhere that has a history, if there is such a name. */
export const atHistory: fc.Arbitrary<Somewhere> = fc.oneof(
  { weight: 1, arbitrary: fixed },
  { weight: 8, arbitrary: among(({ entries }) => entries) },
);

export const anyMetadata: fc.Arbitrary<Metadata> = fc.record({
  cache_control: fc.constantFrom(null, null, 'max-age=60', 'no-store'),
  user_metadata: fc.constantFrom(null, null, { colour: 'red' }, { page: '1', colour: 'blue' }),
});
export const anyType: fc.Arbitrary<string> = fc.constantFrom(
  'text/plain',
  'text/plain',
  'text/csv',
  'application/json',
);
/** Bytes of a body; bucket limits lie between. */
export const anySize: fc.Arbitrary<number> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 8, max: 30 }) },
  { weight: 1, arbitrary: fc.constantFrom(40, 41, 60) },
);

const mostly = <T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const settingArbitraries: { [K in keyof BucketSettings]: fc.Arbitrary<BucketSettings[K]> } = {
  policy: fc.constantFrom('private', 'public', 'authenticated', 'authenticated'),
  size_max: mostly<number | null>(null, 40),
  types: mostly<readonly string[] | null>(null, ['text/*'], ['application/json', 'text/plain']),
  overwrite: mostly<'allow' | 'deny'>('allow', 'deny'),
  versioning: fc.constantFrom('off', 'on', 'on', 'suspended'),
  soft: fc.boolean(),
  history_keep: mostly<number | null>(null, 1, 2),
  quota_bytes: mostly<number | null>(null, 120, 200),
  quota_objects: mostly<number | null>(null, 4, 6),
  owner_quota_objects: mostly<number | null>(null, 3),
};

export const anySettings: fc.Arbitrary<BucketSettings> = fc.record(settingArbitraries);

/** Changes of up to three settings that may be changed at any time; quotas are not among them. */
export const anyChanges: fc.Arbitrary<Partial<BucketSettings>> = fc
  .tuple(
    anySettings,
    fc.subarray(['policy', 'size_max', 'types', 'overwrite', 'versioning', 'soft', 'history_keep'] as const, {
      minLength: 1,
      maxLength: 3,
    }),
  )
  .map(([settings, names]) => Object.fromEntries(names.map((name) => [name, settings[name]])));

/** Other limits, for a bucket that has such limits already: a new one counts what is there, which takes its time. */
export const anyQuotas: fc.Arbitrary<Pick<BucketSettings, 'quota_bytes' | 'quota_objects'>> = fc.record({
  quota_bytes: fc.constantFrom(60, 120, 200, 300),
  quota_objects: fc.constantFrom(2, 4, 8),
});

export const anyFolder: fc.Arbitrary<string> = fc.constantFrom('d/', 'd/', 'd/e/', 'e/', '');

/** The folder that an object is in, or any. */
export const folderOf = (name: string): string => name.slice(0, name.lastIndexOf('/') + 1);
