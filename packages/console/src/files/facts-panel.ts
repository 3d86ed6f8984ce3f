/** What is known of one file, a preview of it, and what a photo says of itself, for whoever may know it. */
import type { ImageFacts, ObjectInfo } from '@rowlock/client';
import { type Child, element } from '../element.ts';
import { attempt } from '../view.ts';
import { nameInText, visibleName } from '../visible-name.ts';
import { bytesInWords } from '../wording.ts';
import { readImageFacts } from './object-calls.ts';
import type { ObjectPanel } from './object-dialog.ts';
import { type FileAddress, lastPart } from './object-name.ts';
import { placeOnMap } from './place-map.ts';
import { preview } from './preview.ts';
import { hasPicture } from './preview-kind.ts';

type Row = readonly [term: string, value: Child | null];

/** Makes the panel. */
export function factsPanel({ context, file, info }: ObjectPanel): HTMLElement {
  const facts = element('div', { class: 'fact-lists' }, factList(factsOf(file, info)));
  const shown = preview(context, file, info);
  const load = async (): Promise<void> => {
    const said = await readImageFacts(context.client, file.bucket, file.name);
    const rows = imageRows(said);
    if (rows.some(([, value]) => isKnown(value))) {
      facts.append(element('h3', {}, 'The picture'), factList(rows));
    }
    const { latitude, longitude } = said.location;
    if (typeof latitude === 'number' && typeof longitude === 'number') {
      facts.append(placeOnMap({ latitude, longitude, label: nameInText(lastPart(file.name)) }));
    }
  };
  if (hasPicture(info)) {
    // What it says of itself is besides; the rest is there without it.
    void attempt(context, load, () => undefined);
  }
  return element('div', { class: 'object-facts' }, shown ?? false, facts);
}

function factsOf(file: FileAddress, info: ObjectInfo): readonly Row[] {
  const detected = info.detected_type === info.content_type ? null : info.detected_type;
  return [
    ['Bucket', file.bucket],
    ['Name', visibleName(file.name)],
    ['Size', `${bytesInWords(info.size)} (${info.size.toLocaleString('en')})`],
    ['Type', info.content_type],
    ['Content looks like', detected],
    ['Owner', info.owner_id === null ? 'nobody' : visibleName(info.owner_id)],
    ['Created', longMoment(info.created_at)],
    ['Changed', longMoment(info.last_modified)],
    ['SHA-256', info.sha256 === null ? null : element('code', {}, info.sha256)],
  ];
}

const locations: Readonly<Record<string, string>> = {
  found: 'Known',
  none: 'It says nothing',
  invalid: 'It says something that is no place',
  withheld: 'It says where, and nobody consented to keep it',
  hidden: 'Not yours to see',
};

function imageRows(said: ImageFacts): readonly Row[] {
  const camera = [said.camera_make, said.camera_model].filter((part) => part !== null && part !== undefined);
  const { state, latitude, longitude, altitude } = said.location;
  const place =
    typeof latitude === 'number' && typeof longitude === 'number'
      ? `${latitude.toFixed(5)}, ${longitude.toFixed(5)}${typeof altitude === 'number' ? `, ${Math.round(altitude)} m` : ''}`
      : null;
  return [
    ['Pixels', said.width === null ? null : `${said.width} × ${said.height}`],
    ['Taken', said.taken_at ?? null],
    ['Camera', camera.length === 0 ? null : visibleName(camera.join(' '))],
    ['Lens', shown(said.lens_model)],
    ['Title', shown(said.title)],
    ['Caption', shown(said.caption)],
    ['By', shown(said.creator)],
    ['Rights', shown(said.copyright)],
    ['Keywords', shown((said.keywords ?? []).join(', '))],
    ['Where', said.read_at === null ? null : (place ?? locations[state ?? ''] ?? null)],
  ];
}

/** Texts in a photo are by strangers. */
function shown(text: string | null | undefined): HTMLElement | null {
  return text === null || text === undefined || text === '' ? null : visibleName(text);
}

function isKnown(value: Child | null): value is Child {
  return value !== null && value !== undefined && value !== '';
}

function factList(rows: readonly Row[]): HTMLElement {
  const known = rows.flatMap(([term, value]) =>
    isKnown(value) ? [element('dt', {}, term), element('dd', {}, value)] : [],
  );
  return element('dl', { class: 'facts' }, ...known);
}

function longMoment(moment: string): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(moment));
}
