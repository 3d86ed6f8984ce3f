/**
 * What an image says of itself, as its reader may know it. The statements run as the caller: policies decide which rows
 * there are, and a position has policies of its own, so that it can be hidden where the rest is not.
 */
import type { Caller } from '../domain/caller.ts';
import type { Database, Statement } from './database.ts';

/** One row where the object can be read. `format` is null where nothing was measured, `read_at` where nothing was read. */
export interface ImageFactsRow {
  readonly version_id: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly format: string | null;
  readonly orientation: number | null;
  /** Base64. */
  readonly thumbhash: string | null;
  readonly dominant_colour: string | null;
  readonly taken_at?: string | null;
  readonly camera_make?: string | null;
  readonly camera_model?: string | null;
  readonly lens_model?: string | null;
  readonly title?: string | null;
  readonly caption?: string | null;
  readonly creator?: string | null;
  readonly copyright?: string | null;
  readonly keywords?: readonly string[] | null;
  readonly read_at?: Date | null;
  /** Null where there is none, or none that the caller may see. */
  readonly location_state?: 'found' | 'none' | 'invalid' | 'withheld' | null;
  readonly latitude?: number | null;
  readonly longitude?: number | null;
  readonly altitude?: number | null;
  readonly accuracy?: number | null;
}

const placeholder = `o.version_id, m.width, m.height, m.format, m.orientation, encode(m.thumbhash, 'base64') AS thumbhash,
  m.dominant_colour`;
const rows = `FROM storage.objects AS o LEFT JOIN storage.image_metadata AS m ON m.version_id = o.version_id`;

/** Run as the caller. */
export const imageFacts: Statement = {
  name: 'image_facts',
  text: `SELECT ${placeholder}, storage.time_taken(m.taken_at, m.taken_at_local) AS taken_at, m.camera_make, m.camera_model,
           m.lens_model, m.title, m.caption, m.creator, m.copyright, m.keywords, m.read_at,
           l.state AS location_state, l.latitude, l.longitude, l.altitude, l.accuracy
         ${rows} LEFT JOIN storage.image_locations AS l ON l.version_id = o.version_id
         WHERE o.bucket_id = $1 AND o.name = $2`,
};

/** Run as the anonymous role, which may know what a placeholder needs. */
export const imagePlaceholder: Statement = {
  name: 'image_placeholder',
  text: `SELECT ${placeholder} ${rows} WHERE o.bucket_id = $1 AND o.name = $2`,
};

/** What is known of one object's bytes as an image; undefined where the object is hidden or missing. */
export async function selectImageFacts(
  db: Database,
  caller: Caller,
  at: { readonly bucket: string; readonly name: string },
): Promise<ImageFactsRow | undefined> {
  const scope = { operation: 'storage.object.info', readOnly: true };
  const statement = caller.anonymous ? imagePlaceholder : imageFacts;
  return (
    await db.asCaller<ImageFactsRow & Record<string, unknown>>(caller, scope, statement, [at.bucket, at.name])
  )[0];
}
