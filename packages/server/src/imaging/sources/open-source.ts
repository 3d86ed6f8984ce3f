/**
 * Opens a file by the reader of its kind. What reads pages, HEVC or drawings is loaded when a file of that kind comes, so
 * that a process for photographs has none of it. Invariant: bytes are opened as the kind that was asked for, whatever else
 * could be seen in them.
 */
import type { ImageLimits, ImageSource } from '../decoder.ts';
import type { OpenedSource } from './opened-source.ts';
import { openPicture } from './picture-source.ts';
import type { SourceKind } from './source-kind.ts';

type Reader = (file: Buffer, limits: ImageLimits) => Promise<OpenedSource>;

/** A path names a picture. */
export async function openSource(source: ImageSource, kind: SourceKind, limits: ImageLimits): Promise<OpenedSource> {
  if (kind === 'picture' || typeof source === 'string') return await openPicture(source, limits);
  const read = await readerOf(kind);
  return await read(source, limits);
}

async function readerOf(kind: Exclude<SourceKind, 'picture'>): Promise<Reader> {
  switch (kind) {
    case 'heif':
      return (await import('./heif-source.ts')).openHeif;
    case 'svg':
      return (await import('./svg-source.ts')).openSvg;
    case 'pdf':
      return (await import('./pdf-source.ts')).openPdf;
  }
}
