/**
 * A backend that passes every call on to another one: what wrappers extend, so that each says only what it changes. It
 * changes nothing. Invariant: it has the name and the bucket of what it wraps.
 */
import type {
  Backend,
  ByteRange,
  CopyOptions,
  ForeignEntry,
  GetResult,
  HeadResult,
  ListedObject,
  ListOptions,
  PresignGetOptions,
  PresignPutOptions,
  PutGuards,
  PutOptions,
  UnfinishedObject,
  WalkOptions,
} from '../backend.ts';
import type { PartStore } from '../parts.ts';
import type { DayKey } from '../s3/day-keys.ts';

export class PassingBackend implements Backend {
  protected readonly inner: Backend;

  constructor(inner: Backend) {
    this.inner = inner;
  }

  get name(): string {
    return this.inner.name;
  }

  get bucket(): string {
    return this.inner.bucket;
  }

  get parts(): PartStore | undefined {
    return this.inner.parts;
  }

  get region(): string | undefined {
    return this.inner.region;
  }

  get keyPrefix(): string | undefined {
    return this.inner.keyPrefix;
  }

  get putGuards(): PutGuards | undefined {
    return this.inner.putGuards;
  }

  /** No limit is infinite, as far as anybody compares with it. */
  get bytesMax(): number {
    return this.inner.bytesMax ?? Number.POSITIVE_INFINITY;
  }

  put(key: string, source: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<{ size: number }> {
    return this.inner.put(key, source, options);
  }

  get(key: string, range?: ByteRange): Promise<GetResult> {
    return this.inner.get(key, range);
  }

  head(key: string): Promise<HeadResult | undefined> {
    return this.inner.head(key);
  }

  delete(key: string): Promise<boolean> {
    return this.inner.delete(key);
  }

  list(options?: ListOptions): AsyncIterable<ListedObject> {
    return this.inner.list(options);
  }

  walk(options?: WalkOptions): AsyncIterable<ListedObject | ForeignEntry> {
    return this.inner.walk(options);
  }

  listUnfinished(): AsyncIterable<UnfinishedObject> {
    return this.inner.listUnfinished();
  }

  removeUnfinished(olderThanMs: number, kept?: ReadonlySet<string>): Promise<number> {
    return this.inner.removeUnfinished(olderThanMs, kept);
  }

  presignPut(key: string, options: PresignPutOptions): Promise<string> {
    return this.inner.presignPut(key, options);
  }

  presignGet(key: string, options: PresignGetOptions): Promise<string> {
    return this.inner.presignGet(key, options);
  }

  signingKeys(days: readonly string[]): Promise<readonly DayKey[]> {
    return this.inner.signingKeys(days);
  }

  async copyWithin(source: string, target: string, options: CopyOptions): Promise<void> {
    if (this.inner.copyWithin === undefined) throw new TypeError(`the backend ${this.name} copies nothing by itself`);
    await this.inner.copyWithin(source, target, options);
  }

  check(): Promise<void> {
    return this.inner.check();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
