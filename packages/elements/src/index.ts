/** Custom elements of Rowlock, and the queue behind those that upload. Importing registers nothing: `defineElements` does. */
export { defineElements } from './define-elements.ts';
export { RowlockGallery } from './gallery/rowlock-gallery.ts';
export type { MapPoint } from './map/marker.ts';
export { RowlockMap } from './map/rowlock-map.ts';
export { chosenFiles, droppedFiles, type NamedFile, pastedFiles } from './uploads/dropped-files.ts';
export { type Limits, limitsInWords, noLimits, refusedBefore } from './uploads/limits.ts';
export type { PhotoPlace } from './uploads/photo-place.ts';
export {
  type Destination,
  isBelow,
  isSettled,
  type QueuedUpload,
  type QueueProgress,
  type UploadState,
} from './uploads/queued-upload.ts';
export { RowlockUpload } from './uploads/rowlock-upload.ts';
export { RowlockUploads } from './uploads/rowlock-uploads.ts';
export { type AddOptions, UploadQueue } from './uploads/upload-queue.ts';
