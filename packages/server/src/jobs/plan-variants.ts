/**
 * Which variants of a version are to be made now, from its rows: what is not completed, and what is to be made again because
 * its preset changed and somebody asked. It reads and writes nothing. Invariant: a preset with a watermark is never planned
 * without it.
 */

import { type AskedPreset, presetDigest } from '../imaging/presets.ts';
import { replyBytesMost, replyLimits, watermarkBytesMax } from '../imaging/processes/decoder-messages.ts';
import type { VariantRow, VariantSource, WatermarkSource } from '../metadata/variants.ts';

/** The digest of a variant that is there and is to be made again: of no parameters at all. */
export const toBeMadeAgain: string = '0'.repeat(64);

/** The version whose variants are made. */
export interface SourceVersion extends VariantSource {
  readonly id: string;
}

/** A variant that is to be made. */
export interface WantedVariant {
  /** Of its row. */
  readonly id: string;
  readonly preset: AskedPreset;
  /** As its row will say. */
  readonly digest: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly watermark: WatermarkSource | undefined;
}

export interface VariantPlan {
  readonly wanted: readonly WantedVariant[];
  /** Ids of rows whose preset is in no set of the version's buckets, or asks for what cannot be made of such a file. */
  readonly undefined: readonly string[];
  /** Ids of rows whose watermark is not there, or too large to be one. */
  readonly unmarked: readonly string[];
}

/** Plans what is to be made of these rows. What is completed stays as it is, however its preset changed, until it is asked for. */
export function planVariants(rows: readonly VariantRow[], isStrippable = true): VariantPlan {
  const wanted: WantedVariant[] = [];
  const gone: string[] = [];
  const unmarked: string[] = [];
  for (const { id, status, digest: madeBy, params, watermark } of rows) {
    const isMade = status === 'completed';
    if (isMade && madeBy !== toBeMadeAgain) continue;
    if (params === null) {
      if (!isMade) gone.push(id);
      continue;
    }
    const { watermark_version = null, ...preset } = params as unknown as AskedPreset & WatermarkVersion;
    if (preset.format === 'stripped' && !isStrippable) {
      if (!isMade) gone.push(id);
      continue;
    }
    if (preset.watermark !== undefined && (watermark === null || watermark.size > watermarkBytesMax)) {
      if (!isMade) unmarked.push(id);
      continue;
    }
    const digest = presetDigest(preset, watermark_version ?? undefined);
    wanted.push({ id, preset, digest, params, watermark: watermark ?? undefined });
  }
  return { wanted, undefined: gone, unmarked };
}

/** Says beside a preset's parameters which bytes its watermark has. */
interface WatermarkVersion {
  readonly watermark_version?: string | null;
}

/** What is rendered at once, of one reading of the file. */
export interface VariantGroup {
  readonly watermark: WatermarkSource | undefined;
  readonly variants: readonly WantedVariant[];
}

/**
 * Groups what is wanted: first what is drawn without a watermark, then stripped copies, then what has each watermark. Copies
 * are by themselves since a file may be shown that cannot be taken apart. The variants of a group fit one reply.
 */
export function variantGroups(wanted: readonly WantedVariant[]): readonly VariantGroup[] {
  const byKind = new Map<string, WantedVariant[]>([
    ['drawn', []],
    ['stripped', []],
  ]);
  for (const variant of wanted) {
    const { preset, watermark } = variant;
    const kind = preset.format === 'stripped' ? 'stripped' : `drawn${watermark?.version_id ?? ''}`;
    byKind.set(kind, [...(byKind.get(kind) ?? []), variant]);
  }
  return [...byKind.values()].flatMap(fitting).map((variants) => ({ watermark: variants[0]?.watermark, variants }));
}

/** Cut into pieces whose variants fit a reply together, however large each becomes. */
function fitting(wanted: readonly WantedVariant[]): readonly (readonly WantedVariant[])[] {
  const groups: WantedVariant[][] = [];
  let bytes = 0;
  for (const variant of wanted) {
    const most = replyBytesMost(variant.preset);
    const last = groups.at(-1);
    if (last === undefined || bytes + most > replyLimits.dataBytesMax) {
      groups.push([variant]);
      bytes = most;
    } else {
      last.push(variant);
      bytes += most;
    }
  }
  return groups;
}
