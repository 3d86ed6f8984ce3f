/**
 * Puts the parts of an upload together at its store. The parts that count are those that the store says it has, of exactly the
 * sizes that were planned; what a client says of them is compared, and not believed. It commits nothing: whoever calls looks
 * for the bytes under the key afterwards. Idempotent.
 */
import { RowlockError } from '@rowlock/client/contract';
import { isUploadGone, listedPartsMax, type NamedPart, type PartStore, type StoredPart } from '../backend/parts.ts';
import { fault } from '../domain/fault.ts';

/** What was planned when the upload began. */
export interface PlannedParts {
  readonly key: string;
  readonly store_id: string;
  readonly size: number;
  readonly part_size: number;
  readonly part_count: number;
}

/** How many bytes a part has. */
export function sizeOfPart({ size, part_size }: Pick<PlannedParts, 'size' | 'part_size'>, number: number): number {
  return Math.min(part_size, size - (number - 1) * part_size);
}

/**
 * Puts them together. Where the store does not have the upload any more, somebody was faster, or it is over: the key tells.
 *
 * @throws RowlockError `invalid_part` where one is missing, of another size, or not the one that was named
 */
export async function completeParts(
  store: PartStore,
  plan: PlannedParts,
  named: readonly NamedPart[] | undefined,
): Promise<void> {
  try {
    const parts = await arrivedParts(store, plan);
    assertWhole(plan, parts);
    if (named !== undefined) assertNamed(parts, named);
    await fault('parts.before_complete');
    await store.complete(plan, parts);
    await fault('parts.after_complete');
  } catch (error) {
    if (!isUploadGone(error)) throw error;
  }
}

/** All parts that have arrived, in order. */
export async function arrivedParts(
  store: PartStore,
  { key, store_id }: Pick<PlannedParts, 'key' | 'store_id'>,
): Promise<readonly StoredPart[]> {
  const parts: StoredPart[] = [];
  for (;;) {
    const page = await store.list({ key, store_id }, { after: parts.at(-1)?.part_number ?? 0 });
    parts.push(...page);
    if (page.length < listedPartsMax) return parts;
  }
}

function assertWhole(plan: PlannedParts, parts: readonly StoredPart[]): void {
  for (let number = 1; number <= plan.part_count; number += 1) {
    const part = parts[number - 1];
    if (part?.part_number !== number) throw invalid(`Part ${number} of ${plan.part_count} has not arrived`);
    const size = sizeOfPart(plan, number);
    if (part.size !== size) throw invalid(`Part ${number} has ${part.size} bytes instead of ${size}`);
  }
  if (parts.length > plan.part_count) throw invalid(`There are more parts than ${plan.part_count}`);
}

/** Those that are named are all there are, in order, and none was replaced since. */
function assertNamed(parts: readonly StoredPart[], named: readonly NamedPart[]): void {
  for (const [place, { part_number, etag }] of named.entries()) {
    const part = parts[place];
    if (part === undefined || part.part_number !== part_number) {
      throw invalid(`The parts are named once each and in order; part ${part_number} stands in place ${place + 1}`);
    }
    if (part.etag !== etag.replace(/^"|"$/g, '')) throw invalid(`Part ${part_number} is not the one that was named`);
  }
  if (named.length < parts.length) throw invalid(`${named.length} parts are named and ${parts.length} have arrived`);
}

const invalid = (message: string): RowlockError => new RowlockError('invalid_part', message);
