/** The tables of the page of health, each from a part of the report. They judge nothing but how full a quota is. */
import type { KeptAmount, StorageHealth } from '@rowlock/client';
import { element } from '../element.ts';
import { nearMoment } from '../jobs/job-wording.ts';
import { visibleName } from '../visible-name.ts';
import { bytesInWords } from '../wording.ts';
import { type AmountRow, amountTable } from './amount-table.ts';

const number = (value: number): string => value.toLocaleString('en');
const percent = (share: number): string => `${Math.round(share * 100)} %`;
const ago = (moment: string | null): string => (moment === null ? 'never' : nearMoment(moment));

/** What is kept by bucket, owner and type. */
export function keptTables({ kept }: StorageHealth): readonly HTMLElement[] {
  const about = kept.is_estimate ? 'About ' : '';
  const of = `${number(kept.objects)} objects, ${bytesInWords(kept.bytes)}, older versions and thumbnails not counted.`;
  const sampled = kept.is_estimate ? ' Estimated from a sample.' : '';
  const table = (caption: string, name: string, amounts: readonly KeptAmount[], nobody = ''): HTMLElement =>
    amountTable(caption, [name, 'Objects', 'Bytes'], amountRows(amounts, nobody));
  return [
    element('p', { class: 'hint' }, `${about}${of}${sampled}`),
    element(
      'div',
      { class: 'tables' },
      table('By bucket', 'Bucket', kept.buckets),
      table('By owner', 'Owner', kept.owners, 'nobody'),
      table('By type', 'Type', kept.media_types),
    ),
  ];
}

const shownMax = 10;

/** The largest, and the others together. */
function amountRows(amounts: readonly KeptAmount[], nobody: string): readonly AmountRow[] {
  const largest = Math.max(1, ...amounts.map(({ bytes }) => bytes));
  const rows = amounts.slice(0, shownMax).map(({ name, objects, bytes }) => ({
    name: name === null ? nobody : visibleName(name),
    share: bytes / largest,
    cells: [number(objects), bytesInWords(bytes)],
  }));
  const others = amounts.slice(shownMax);
  const sum = (of: 'objects' | 'bytes'): number => others.reduce((total, each) => total + each[of], 0);
  return others.length === 0
    ? rows
    : [
        ...rows,
        {
          name: `the next ${others.length}`,
          share: sum('bytes') / largest,
          cells: [number(sum('objects')), bytesInWords(sum('bytes'))],
        },
      ];
}

/** The fullest quotas. */
export function quotaTable({ quotas }: StorageHealth): HTMLElement {
  const limit = (used: number, most: number | null, say: (value: number) => string): string =>
    most === null ? say(used) : `${say(used)} of ${say(most)}`;
  const rows = quotas.map((quota) => ({
    name: visibleName(quota.owner_id ?? quota.bucket_id ?? 'each owner'),
    share: quota.fullness,
    level: quota.fullness >= 1 ? ('broken' as const) : quota.fullness >= 0.9 ? ('watch' as const) : undefined,
    cells: [
      percent(quota.fullness),
      limit(quota.bytes_used + quota.bytes_reserved, quota.bytes_max, bytesInWords),
      limit(quota.objects_used + quota.objects_reserved, quota.objects_max, number),
    ],
  }));
  return amountTable('The fullest first', ['For', 'Full', 'Bytes', 'Objects'], rows);
}

/** How fast stores and database answered, and what they have. */
export function storeTable({ stores, backends, database, database_milliseconds }: StorageHealth): HTMLElement {
  const slowest = Math.max(database_milliseconds, 50, ...stores.map(({ milliseconds }) => milliseconds ?? 0));
  const rows: readonly AmountRow[] = [
    ...stores.map(({ name, ok, milliseconds }) => ({
      name: visibleName(name),
      share: milliseconds === null ? 1 : milliseconds / slowest,
      level: ok ? undefined : ('broken' as const),
      cells: [
        ok ? `${milliseconds} ms` : milliseconds === null ? 'no answer' : 'takes no writes',
        bytesInWords(backends.find((each) => each.name === name)?.bytes ?? 0),
      ],
    })),
    {
      name: `PostgreSQL ${database.version}`,
      share: database_milliseconds / slowest,
      cells: [`${database_milliseconds} ms`, bytesInWords(database.bytes)],
    },
  ];
  return amountTable('A small write to each store, and this report in the database', ['Where', 'Took', 'Bytes'], rows);
}

/** What the bytes would cost elsewhere; nothing where no prices are known. */
export function costTable({ costs }: StorageHealth): readonly HTMLElement[] {
  if (costs === null) {
    return [];
  }
  const { places, currency, as_of, bytes } = costs;
  const most = Math.max(1e-9, ...places.map(({ total }) => total));
  const rows = places.map(({ title, total }) => ({
    name: title,
    share: total / most,
    cells: [total > 0 && total < 0.005 ? 'less than 0.01' : total.toFixed(2)],
  }));
  const caption = `A month of ${bytesInWords(bytes)} at list prices of ${as_of}, traffic not counted; rowlock cost says more`;
  return [amountTable(caption, ['Place', currency], rows)];
}

/** The last comparison of each backend. */
export function fsckTable({ fsck }: StorageHealth): HTMLElement {
  if (fsck.length === 0) {
    return element('p', { class: 'hint' }, 'Never. Run rowlock fsck.');
  }
  const rows = fsck.map(({ backend, scrub, phase, started_at, ended_at, findings }) => {
    const found = Object.entries(findings);
    return {
      name: visibleName(backend),
      share: found.length === 0 ? 0 : 1,
      level: found.length === 0 ? undefined : ('broken' as const),
      cells: [
        scrub ? 'rows, and every byte' : 'rows and sizes',
        ended_at === null ? `${phase}, begun ${nearMoment(started_at)}` : nearMoment(ended_at),
        found.length === 0
          ? 'nothing'
          : found.map(([kind, count]) => `${count} ${kind.replaceAll('_', ' ')}`).join(', '),
      ],
    };
  });
  return amountTable('The last run of rowlock fsck', ['Store', 'Compared', 'Ended', 'Found'], rows);
}

/** The largest tables with their dead rows. */
export function tableTable({ tables }: StorageHealth): HTMLElement {
  const shown = tables.slice(0, 15);
  const largest = Math.max(1, ...shown.map(({ bytes }) => bytes));
  const rows = shown.map(({ name, rows_live, rows_dead, bytes, vacuumed_at }) => ({
    name,
    share: bytes / largest,
    cells: [bytesInWords(bytes), number(rows_live), number(rows_dead), ago(vacuumed_at)],
  }));
  return amountTable('The largest tables', ['Table', 'Bytes', 'Rows', 'Dead', 'Vacuumed'], rows);
}
