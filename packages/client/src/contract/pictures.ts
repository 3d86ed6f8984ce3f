/** Pictures on the wire: what is known of one and of its variants, which jobs make. Sizes are pixels and bytes. */

/** `not_applicable` of what gets no variants. */
export type ThumbnailStatus = 'pending' | 'processing' | 'completed' | 'failed' | 'not_applicable';

export interface Variant {
  readonly preset: string;
  readonly status: ThumbnailStatus;
  /** Null until it is made, as are type and size. */
  readonly width: number | null;
  readonly height: number | null;
  readonly content_type: string | null;
  readonly size: number | null;
  readonly error: string | null;
  /** Straight to the store; null where it was not asked for, or there is nothing yet. */
  readonly url: string | null;
}

/** What `get_picture` answers. */
export interface Picture {
  readonly bucket: string;
  readonly name: string;
  /** Null while the bytes of a file were not looked at. */
  readonly object_id: string | null;
  /** Of what is attached as a file. */
  readonly file_id: string | null;
  /** Of all variants: failed when one failed, completed when all are there. */
  readonly status: ThumbnailStatus;
  readonly error: string | null;
  readonly width: number | null;
  readonly height: number | null;
  /** A placeholder, in base64. */
  readonly thumbhash: string | null;
  readonly dominant_colour: string | null;
  readonly variants: readonly Variant[];
}

/** What `get_entity_files` answers of each: the row of the file, where its object is, and its placeholder. */
export interface EntityFile {
  readonly id: string;
  readonly entity_type: string;
  readonly entity_id: string;
  readonly property_name: string | null;
  readonly file_name: string;
  readonly file_type: string;
  readonly file_size: number;
  readonly bucket: string;
  readonly name: string;
  readonly object_id: string | null;
  readonly thumbnail_status: ThumbnailStatus;
  readonly thumbnail_error: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly thumbhash: string | null;
  readonly dominant_colour: string | null;
  readonly created_by: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

/** What an image says of itself; null is what nobody knows, or the caller may not. */
export interface ImageFacts {
  readonly width: number | null;
  readonly height: number | null;
  readonly format: string | null;
  readonly taken_at?: string | null;
  readonly camera_make?: string | null;
  readonly camera_model?: string | null;
  readonly lens_model?: string | null;
  readonly title?: string | null;
  readonly caption?: string | null;
  readonly creator?: string | null;
  readonly copyright?: string | null;
  readonly keywords?: readonly string[] | null;
  readonly read_at: string | null;
  readonly location: {
    readonly state: 'found' | 'none' | 'invalid' | 'withheld' | 'hidden' | null;
    readonly latitude?: number | null;
    readonly longitude?: number | null;
    readonly altitude?: number | null;
  };
}
