/** Every kind of job that this version performs. */
import type { JobKind } from './job-kind.ts';
import { s3Presign } from './s3-presign.ts';
import { signingKeysRotate } from './signing-keys-rotate.ts';
import { thumbnailGenerate } from './thumbnail-generate.ts';
import { uploadComplete } from './upload-complete.ts';
import { uploadSweep } from './upload-sweep.ts';
import { versionPurge } from './version-purge.ts';

export const jobKinds: readonly JobKind[] = [
  s3Presign,
  signingKeysRotate,
  thumbnailGenerate,
  uploadComplete,
  uploadSweep,
  versionPurge,
];

/** The names of the kinds, for reference pages and help. */
export const jobKindNames: readonly string[] = jobKinds.map(({ kind }) => kind);
