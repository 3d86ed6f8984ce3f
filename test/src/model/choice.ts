/**
 * How a command comes to its action: by values that fast-check made, and by what the model has when it is its turn. A
 * choice that finds nothing to do is undefined.
 */
import fc from 'fast-check';
import type { Action, Worlds } from './action.ts';
import { anyMetadata, anySize, anyType } from './arbitraries.ts';
import { type Metadata, objectAt, type Upload, type World } from './world.ts';

export interface Choice {
  readonly kind: string;
  readonly choose: (worlds: Worlds) => Action | undefined;
}

export const given = <T>(
  kind: string,
  arbitrary: fc.Arbitrary<T>,
  choice: (value: T, worlds: Worlds) => Action | undefined,
): fc.Arbitrary<Choice> => arbitrary.map((value) => ({ kind, choose: (worlds) => choice(value, worlds) }));

/** Text of a number of bytes that no other upload has. */
export const textOf = (worlds: Worlds, size: number): string => `t${worlds.next()}.`.padEnd(size, '-');

export interface Body {
  readonly size: number;
  readonly type: string;
  readonly metadata: Metadata;
}

export const anyBody: fc.Arbitrary<Body> = fc.record({ size: anySize, type: anyType, metadata: anyMetadata });
export const anyCondition: fc.Arbitrary<string> = fc.constantFrom(
  ...Array.from({ length: 7 }, () => 'none'),
  'is',
  'was',
  'free',
);
export const anyOverwrite: fc.Arbitrary<boolean | null> = fc.constantFrom(true, true, true, null, null, false);

/** The text that a condition names: what the name has, or something that it has not any more. */
export function conditionOf(world: World, condition: string, at: { bucket: string; name: string }): string | null {
  if (condition === 'is') return objectAt(world, at.bucket, at.name)?.version.text ?? 'no text';
  return condition === 'was' ? (world.entries.at(0)?.version?.text ?? 'no text') : null;
}

/** One of several that there are. */
export const pick = <T>(rows: readonly T[], n: number): T | undefined => rows[n % Math.max(rows.length, 1)];
/** Uploads that are under way. */
export const alive = ({ first }: Worlds): readonly Upload[] => first.uploads.filter(({ is_alive }) => is_alive);

/** A text that a name has or had. */
export function textAt(world: World, at: { bucket: string; name: string }, n: number): string | undefined {
  const rows = [...world.objects, ...world.entries].filter(
    (each) => each.bucket === at.bucket && each.name === at.name,
  );
  return pick(
    rows.flatMap(({ version }) => version?.text ?? []),
    n,
  );
}
