/** Registers the elements of this package, each once. Importing the package registers nothing. */
import { RowlockGallery } from './gallery/rowlock-gallery.ts';
import { RowlockMap } from './map/rowlock-map.ts';
import { RowlockUpload } from './uploads/rowlock-upload.ts';
import { RowlockUploads } from './uploads/rowlock-uploads.ts';

const elements = {
  'rowlock-gallery': RowlockGallery,
  'rowlock-map': RowlockMap,
  'rowlock-upload': RowlockUpload,
  'rowlock-uploads': RowlockUploads,
} as const;

declare global {
  interface HTMLElementTagNameMap {
    'rowlock-gallery': RowlockGallery;
    'rowlock-map': RowlockMap;
    'rowlock-upload': RowlockUpload;
    'rowlock-uploads': RowlockUploads;
  }
}

/** Registers all elements; does nothing on a server, and nothing twice. */
export function defineElements(): void {
  if (globalThis.customElements === undefined) {
    return;
  }
  for (const [name, made] of Object.entries(elements)) {
    if (customElements.get(name) === undefined) {
      customElements.define(name, made);
    }
  }
}
