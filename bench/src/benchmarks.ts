/**
 * The one list of benchmarks, in the order in which help prints them. What they do is in their own files.
 */
import { alternatives } from './alternatives.ts';
import { bytes } from './bytes.ts';
import { calls } from './calls.ts';
import { engines } from './engines.ts';
import { floors } from './floors.ts';
import { guardedWrites } from './guarded-writes.ts';
import { images } from './images.ts';
import { listing } from './listing.ts';
import type { Benchmark } from './measure/benchmark.ts';
import { memory } from './memory.ts';
import { metadata } from './metadata.ts';
import { move } from './move.ts';
import { presign } from './presign.ts';
import { queueBenchmark } from './queue.ts';
import { render } from './render.ts';
import { s3Backend } from './s3-backend.ts';
import { signer } from './signer.ts';
import { signing } from './signing.ts';
import { slowUploads } from './slow-uploads.ts';
import { sqlPresign } from './sql-presign.ts';
import { start } from './start.ts';
import { thumbnails } from './thumbnails.ts';

export const benchmarks: readonly Benchmark[] = [
  bytes,
  metadata,
  guardedWrites,
  calls,
  signing,
  listing,
  slowUploads,
  move,
  queueBenchmark,
  engines,
  presign,
  sqlPresign,
  signer,
  alternatives,
  s3Backend,
  memory,
  start,
  thumbnails,
  render,
  images,
  floors,
];
