/** How a file can be looked at in the page, by what it is declared to be and what its bytes are. */
export interface PreviewedType {
  readonly content_type: string;
  readonly detected_type: string | null;
  readonly size: number;
}

export type PreviewKind = 'picture' | 'document' | 'video' | 'audio' | 'text' | 'none';

/** Types that the service makes pictures of. */
const picture = /^image\/(jpeg|png|webp|gif|tiff|avif|heic|heif)$/;
const text = /^(text\/|application\/(json|xml|x-ndjson|yaml|x-yaml|toml|sql|javascript)$|.*\+(json|xml)$)/;

/** The one way; both types have to agree on what a browser plays. */
export function previewKind({ content_type, detected_type }: PreviewedType): PreviewKind {
  const seen = detected_type ?? content_type;
  if (picture.test(seen)) {
    return 'picture';
  }
  if (seen === 'application/pdf') {
    return 'document';
  }
  for (const kind of ['video', 'audio'] as const) {
    if (content_type.startsWith(`${kind}/`) && (detected_type === null || /^(video|audio)\//.test(detected_type))) {
      return kind;
    }
  }
  return text.test(content_type) && (detected_type === null || text.test(detected_type)) ? 'text' : 'none';
}

/** Whether the service may have a picture of it. */
export function hasPicture(file: PreviewedType): boolean {
  return ['picture', 'document'].includes(previewKind(file));
}
