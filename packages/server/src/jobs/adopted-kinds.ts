/** What workers of an adopted schema perform: the deployed kinds, on the deployed rows. Others stay with the old worker. */
import { adoptedPresign } from './adopted-presign.ts';
import { adoptedThumbnails } from './adopted-thumbnails.ts';
import type { JobKind } from './job-kind.ts';

export const adoptedKinds: readonly JobKind[] = [adoptedPresign, adoptedThumbnails];
