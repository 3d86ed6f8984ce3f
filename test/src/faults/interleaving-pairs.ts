/**
 * Which operations meet, and on what: the table of interleavings, and nothing else. The first of a pair is stopped, the
 * second runs whole meanwhile. Documents name the pairs by their names.
 */
import {
  copy,
  create,
  createWithin,
  deleteBucket,
  move,
  moveFolder,
  purgeVersion,
  readRange,
  remove,
  restore,
  type Step,
  upload,
  useTicket,
  useUrl,
} from './interleaving-steps.ts';
import { checkAndRepair, overwriteAndPurge, sweepExpired } from './interleaving-upkeep.ts';

export interface Pair {
  readonly name: string;
  readonly first: Step;
  readonly second: Step;
  /** What is there before: names and texts, written in this order. */
  readonly there?: readonly (readonly [name: string, text: string])[];
  /** What the bucket is created with. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** A URL that both use. */
  readonly signs?: 'download once' | 'upload once';
  /** Bytes that no row names lie about. */
  readonly hasOrphan?: true;
}

const versioned = { settings: { versioning: 'on' } } as const;
const a = [['x', 'a']] as const;
const both = [
  ['x', 'a'],
  ['y', 'b'],
] as const;
const folder = [
  ['f/x', 'a'],
  ['f/g/y', 'b'],
] as const;

/** A pair and its reverse. */
function eitherWay(
  name: string,
  [one, other]: readonly [Step, Step],
  rest: Omit<Pair, 'name' | 'first' | 'second'>,
): Pair[] {
  const [left = '', right = ''] = name.split(' | ');
  return [
    { name, first: one, second: other, ...rest },
    { name: `${right} | ${left}`, first: other, second: one, ...rest },
  ];
}

/** All of them. */
export const pairs: readonly Pair[] = [
  // First, so that in short runs they have only their own to take.
  { name: 'sweep | upload', first: sweepExpired, second: upload('x', 'c'), there: a },
  { name: 'late commit | sweep', first: { ...upload('x', 'c'), mayBeRefused: true }, second: sweepExpired, there: a },
  ...eitherWay('fsck --repair | upload', [checkAndRepair, upload('x', 'c')], { there: a, hasOrphan: true }),
  { name: 'upload | upload', first: upload('x', 'c'), second: upload('x', 'd'), there: a },
  { name: 'create | create', first: create('x', 'c'), second: create('x', 'd') },
  { name: 'create | upload', first: create('x', 'c'), second: upload('x', 'd') },
  ...eitherWay('upload | delete', [upload('x', 'c'), remove('x')], { there: a }),
  ...eitherWay('upload | move to it', [upload('x', 'c'), move('y', 'x')], { there: both }),
  ...eitherWay('upload | move from it', [upload('x', 'c'), move('x', 'y')], { there: a }),
  { name: 'move | crossing move', first: move('x', 'y'), second: move('y', 'x'), there: both },
  { name: 'move | move elsewhere', first: move('x', 'y'), second: move('x', 'z'), there: a },
  { name: 'move | delete', first: move('x', 'y'), second: remove('x'), there: both },
  ...eitherWay('copy | delete of its source', [copy('x', 'y'), remove('x')], { there: a }),
  ...eitherWay('copy | overwrite of its source', [copy('x', 'y'), upload('x', 'c')], { there: a }),
  ...eitherWay('overwrite | read by range', [upload('x', 'c'), readRange('x')], { there: a }),
  { name: 'read by range | overwrite and purge', first: readRange('x'), second: overwriteAndPurge('x', 'c'), there: a },
  ...eitherWay('delete | restore', [remove('x'), restore('x', 'a')], { there: [...a, ['x', 'b']], ...versioned }),
  ...eitherWay('purge | restore', [purgeVersion('x', 'a'), restore('x', 'a')], {
    there: [...a, ['x', 'b']],
    ...versioned,
  }),
  ...eitherWay('folder move | upload into it', [moveFolder('f', 'g'), upload('f/z', 'c')], { there: folder }),
  ...eitherWay('folder move | overwrite in it', [moveFolder('f', 'g'), upload('f/x', 'c')], { there: folder }),
  ...eitherWay('bucket delete | upload', [deleteBucket, upload('x', 'c')], {}),
  { name: 'use | use of a counted URL', first: useUrl('x'), second: useUrl('x'), there: a, signs: 'download once' },
  {
    name: 'use | use of a signed upload',
    first: useTicket('x', 'c'),
    second: useTicket('x', 'd'),
    signs: 'upload once',
  },
  {
    name: 'reserve | reserve of a quota',
    first: createWithin('x', 'c'),
    second: createWithin('y', 'd'),
    settings: { quota_objects: 1 },
  },
];
