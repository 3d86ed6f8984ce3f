/**
 * The commands of the model test: each chooses an action by what the model has when it is its turn, does it, and looks at
 * every row. Invariant: what is chosen depends on the seed and on answers alone.
 */
import fc from 'fast-check';
import type { Action, Worlds } from './action.ts';
import { anyName, anySettings } from './arbitraries.ts';
import { createBucketAction } from './bucket-actions.ts';
import { type Choice, textOf } from './choice.ts';
import { bucketNames } from './comparison.ts';
import { crossings } from './crossing-choices.ts';
import { glance } from './glance.ts';
import { bucketLives, housekeeping, purges, restores, settings } from './history-choices.ts';
import { type Kills, kills } from './kill-choices.ts';
import { linkUses, reads, signs, tickets } from './link-choices.ts';
import { lost } from './lost.ts';
import type { ModelSite } from './site.ts';
import { uploadAction } from './upload-actions.ts';
import type { BucketSettings, Who } from './world.ts';
import {
  begins,
  continuations,
  copies,
  deletes,
  folders,
  manyDeletes,
  moves,
  statements,
  uploads,
} from './write-choices.ts';

export type ModelCommand = fc.AsyncCommand<Worlds, ModelSite>;

class Command implements ModelCommand {
  readonly #choices: readonly Choice[];
  #labels: readonly string[] = [];

  constructor(...choices: readonly Choice[]) {
    this.#choices = choices;
  }

  check(): boolean {
    return true;
  }

  async run(worlds: Worlds, site: ModelSite): Promise<void> {
    this.#labels = []; // the same command is done again when a failure is made smaller
    for (const choice of this.#choices) await this.#runOne(choice, worlds, site);
  }

  async #runOne({ kind, choose }: Choice, worlds: Worlds, site: ModelSite): Promise<void> {
    const action = choose(worlds);
    if (action === undefined) {
      site.tally.add(kind, undefined);
      return;
    }
    this.#labels = [...this.#labels, action.label];
    const answer = await worlds.step(site, action);
    site.tally.add(kind, answer);
    // What was not answered is left to whatever is asked next.
    if (answer !== lost) await glance(worlds, site, action.label);
  }

  toString(): string {
    return this.#labels.length === 0 ? nothing : this.#labels.join('\n');
  }
}

/** What is said of a command that found nothing to do. */
export const nothing = 'nothing';

const weighted = (weight: number, arbitrary: fc.Arbitrary<Choice>) => ({ weight, arbitrary });

/** Runs of commands. */
export function modelCommands(options: Kills & { readonly most: number }): fc.Arbitrary<Iterable<ModelCommand>> {
  const choices = fc.oneof(
    weighted(30, uploads),
    weighted(7, begins),
    weighted(6, continuations),
    weighted(5, deletes),
    weighted(1, manyDeletes),
    weighted(10, moves),
    weighted(9, copies),
    weighted(6, statements),
    weighted(5, folders),
    weighted(8, restores),
    weighted(7, purges),
    weighted(6, settings),
    weighted(1, bucketLives),
    weighted(5, signs),
    weighted(8, linkUses),
    weighted(4, tickets),
    weighted(6, reads),
    weighted(2, housekeeping),
    weighted(3, kills(options)),
  );
  const one = fc.oneof(
    { weight: 20, arbitrary: choices.map((choice): ModelCommand => new Command(choice)) },
    { weight: 1, arbitrary: crossings.map((three): ModelCommand => new Command(...three)) },
  );
  return fc.commands([one], { maxCommands: options.most, size: 'max' });
}

const anyOwner = fc.constantFrom('ann' as const, 'ann' as const, 'ben' as const, 'service' as const);

/** What each run begins with: its buckets, whose they are, and something in them. */
export const modelBeginning: fc.Arbitrary<readonly Begin[]> = fc
  .tuple(...bucketNames.map(() => fc.tuple(anyOwner, anySettings, fc.uniqueArray(anyName, { maxLength: 4 }))))
  .map((made) => made.flatMap(([who, asked, names], place) => beginning(who, bucketNames[place] ?? '', asked, names)));

export type Begin = (worlds: Worlds) => Action;

function beginning(who: Who, bucket: string, asked: BucketSettings, names: readonly string[]): Begin[] {
  const plain = { cache_control: null, user_metadata: null, overwrite: null, if_match: null, is_free: false };
  return [
    () => createBucketAction(who, bucket, asked),
    ...names.map(
      (name): Begin =>
        (worlds) =>
          uploadAction({ who, bucket, name, ...plain, text: textOf(worlds, 12), type: 'text/plain' }),
    ),
  ];
}
