/**
 * The backend that keeps small objects as rows of the database, in chunks of 256 KiB. A put is a statement for each chunk,
 * so no connection is held while bytes arrive; a last one gives them their key. It serves no HTTP: the presigned URLs that
 * it makes are answered by the server. Invariant: bytes under a key are whole and durable, and are never written again.
 */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { RowlockError } from '@rowlock/client/contract';
import { fault } from '../../domain/fault.ts';
import { abortable } from '../abortable.ts';
import type {
  Backend,
  ByteRange,
  GetResult,
  HeadResult,
  ListedObject,
  ListOptions,
  PresignGetOptions,
  PresignPutOptions,
  PutOptions,
  UnfinishedObject,
  WalkOptions,
} from '../backend.ts';
import { assertKey } from '../keys.ts';
import { type DayKey, dayKeys } from '../s3/day-keys.ts';
import { presignGetUrl, presignPutUrl } from '../s3/presign-object.ts';
import { Presigner, type PresignerConfig, type SigningCredentials } from '../s3/presigner.ts';
import type { BlobRow, BlobRows } from './blob-rows.ts';
import { ChunkGatherer } from './chunk-gatherer.ts';

export interface PostgresBackendConfig {
  /** As in `versions.backend`. Default `postgres`. */
  readonly name?: string;
  /** The largest object, in bytes. */
  readonly bytes_max: number;
  /** The bucket in presigned URLs. */
  readonly bucket: string;
  /** Where this server answers presigned URLs. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: SigningCredentials;
}

/** What the database keeps as one chunk, and a constraint there says the same. */
const chunkBytes = 256 * 1024;
/** Up to this an answer is read at once, with the row; above, in pieces of this. */
const pieceBytes = 512 * 1024;
const pageRows = 1000;

/** Objects as rows. */
export class PostgresBackend implements Backend {
  readonly name: string;
  readonly bucket: string;
  readonly bytesMax: number;
  readonly #rows: BlobRows;
  readonly #presigning: PresignerConfig;
  readonly #presigner: Presigner;

  /** Takes the rows over, and closes them with itself. */
  constructor(rows: BlobRows, config: PostgresBackendConfig) {
    this.name = config.name ?? 'postgres';
    this.bucket = config.bucket;
    this.bytesMax = config.bytes_max;
    this.#rows = rows;
    this.#presigning = config;
    this.#presigner = new Presigner(config);
  }

  async put(key: string, source: AsyncIterable<Uint8Array>, { signal }: PutOptions = {}): Promise<{ size: number }> {
    assertKey(key);
    const id = randomUUID();
    try {
      return { size: await this.#write(id, key, source, signal) };
    } catch (error) {
      // Also after a last statement whose answer was lost: what is not acknowledged must not be seen. Where the database is
      // away, the sweep finds it. The first error is the one to tell.
      await this.#rows.discard(id).catch(() => undefined);
      throw error;
    }
  }

  /** Few bytes are one statement; else each chunk is one, and the last one makes them visible. */
  async #write(
    id: string,
    key: string,
    source: AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const gathered = new ChunkGatherer(chunkBytes);
    let size = 0;
    let place = 0;
    for await (const bytes of abortable(source, signal)) {
      size += bytes.byteLength;
      if (size > this.bytesMax) throw this.#tooLarge();
      for (const chunk of gathered.add(bytes)) {
        await this.#rows.append(id, place, chunk);
        await fault('blob.after_chunk');
        place += 1;
      }
    }
    const rest = gathered.rest();
    if (place > 0) await this.#rows.append(id, place, rest);
    await fault('blob.before_finish');
    await (place === 0 ? this.#rows.put(id, key, rest) : this.#rows.finish(id, key, size));
    await fault('blob.after_finish');
    return size;
  }

  #tooLarge(): RowlockError {
    return new RowlockError(
      'too_large',
      `The database keeps objects up to ${this.bytesMax} bytes; larger ones belong in a bucket on another backend`,
    );
  }

  async get(key: string, range?: ByteRange): Promise<GetResult> {
    assertKey(key);
    assertRange(range);
    const start = range?.start ?? 0;
    const wanted = range === undefined ? pieceBytes : Math.min(range.end - start + 1, pieceBytes);
    const found = await this.#rows.read(key, start, wanted);
    if (found === undefined) throw new RowlockError('object_not_found', 'There are no bytes under this key.');
    const { row, bytes } = found;
    if (range !== undefined && start >= row.size) throw outside();
    const end = Math.min(range?.end ?? Number.POSITIVE_INFINITY, row.size - 1);
    if (end - start + 1 > bytes.length) {
      return { size: row.size, stream: Readable.from(this.#pieces(row.id, bytes, start, end), { objectMode: false }) };
    }
    return {
      size: row.size,
      bytes,
      get stream() {
        return streamOf(bytes);
      },
    };
  }

  async *#pieces(id: string, first: Buffer, start: number, end: number): AsyncGenerator<Buffer, void> {
    yield first;
    for (let at = start + first.length; at <= end; ) {
      const piece = await this.#rows.readOn(id, at, Math.min(end - at + 1, pieceBytes));
      if (piece === undefined || piece.length === 0) {
        throw new RowlockError('object_not_found', 'The bytes were removed while they were read.');
      }
      yield piece;
      at += piece.length;
    }
  }

  async head(key: string): Promise<HeadResult | undefined> {
    assertKey(key);
    const row = await this.#rows.head(key);
    return row && { size: row.size, last_modified: row.created_at, etag: row.id };
  }

  async delete(key: string): Promise<boolean> {
    assertKey(key);
    return await this.#rows.delete(key);
  }

  async *list({ prefix = '' }: ListOptions = {}): AsyncGenerator<ListedObject, void> {
    for await (const row of this.#walk('', prefix)) {
      if (!row.key.startsWith(prefix)) return; // in the order of keys, those with the prefix are together
      yield listed(row);
    }
  }

  async *walk({ after = '' }: WalkOptions = {}): AsyncGenerator<ListedObject, void> {
    for await (const row of this.#walk(after, '')) yield listed(row);
  }

  async *#walk(after: string, from: string): AsyncGenerator<BlobRow, void> {
    for (let place = after; ; ) {
      const page = await this.#rows.page(place, from, pageRows);
      yield* page;
      if (page.length < pageRows) return;
      place = page.at(-1)?.key ?? '';
    }
  }

  async *listUnfinished(): AsyncGenerator<UnfinishedObject, void> {
    yield* await this.#rows.unfinished();
  }

  async removeUnfinished(olderThanMs: number): Promise<number> {
    return await this.#rows.removeUnfinished(olderThanMs);
  }

  async presignPut(key: string, options: PresignPutOptions): Promise<string> {
    assertKey(key);
    return presignPutUrl(this.#presigner, key, options);
  }

  async presignGet(key: string, options: PresignGetOptions): Promise<string> {
    assertKey(key);
    return presignGetUrl(this.#presigner, key, options);
  }

  async signingKeys(days: readonly string[]): Promise<readonly DayKey[]> {
    return dayKeys(this.#presigning, days);
  }

  async check(): Promise<void> {
    await this.#rows.check();
  }

  async close(): Promise<void> {
    await this.#rows.close();
  }
}

function assertRange(range: ByteRange | undefined): void {
  if (range === undefined) return;
  const { start, end } = range;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) throw outside();
}

const outside = (): RowlockError => new RowlockError('range_not_satisfiable', 'The range is not inside of the object.');

const listed = ({ key, size, created_at }: BlobRow): ListedObject => ({ key, size, last_modified: created_at });

function streamOf(bytes: Buffer): Readable {
  const stream = new Readable({ read: () => undefined });
  if (bytes.length > 0) stream.push(bytes);
  stream.push(null);
  return stream;
}
