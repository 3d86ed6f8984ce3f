/**
 * A backend whose calls fail, wait or kill the process when a plan of faults says so: before a call, behind it, as a
 * lost answer does, and at a chunk of what is read. It is for tests and campaigns. Invariant: where the plan says
 * nothing, it is the backend that it wraps.
 */
import { Transform } from 'node:stream';
import type { FaultHandler, FaultPoint } from '../../domain/fault.ts';
import type {
  Backend,
  ByteRange,
  ForeignEntry,
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
import type { PartStore } from '../parts.ts';
import { s3Error } from '../s3/s3-errors.ts';
import { PassingBackend } from './passing-backend.ts';
import { wrappedParts } from './wrapped-parts.ts';

/** Wraps a backend; `plan` is what `planFault` makes of `backend.get@2=fail:ECONNRESET`. */
export class FaultyBackend extends PassingBackend {
  readonly #plan: FaultHandler;

  constructor(inner: Backend, plan: FaultHandler) {
    super(inner);
    this.#plan = plan;
  }

  override async put(key: string, source: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<{ size: number }> {
    await this.#pass('backend.put');
    const answer = await this.inner.put(key, source, options);
    await this.#pass('backend.put_done');
    return answer;
  }

  override async get(key: string, range?: ByteRange): Promise<GetResult> {
    await this.#pass('backend.get');
    const { size, stream } = await this.inner.get(key, range);
    const passing = new Transform({
      transform: (chunk, _encoding, done) => {
        void this.#pass('backend.read').then(() => done(null, chunk), done);
      },
    });
    stream.on('error', (error) => passing.destroy(error));
    passing.on('close', () => stream.destroy());
    return { size, stream: stream.pipe(passing) };
  }

  override get parts(): PartStore | undefined {
    const { parts } = this.inner;
    return (
      parts &&
      wrappedParts(parts, async (_call, work) => {
        await this.#pass('backend.parts');
        const answer = await work();
        await this.#pass('backend.parts_done');
        return answer;
      })
    );
  }

  override async head(key: string): Promise<HeadResult | undefined> {
    await this.#pass('backend.head');
    return await this.inner.head(key);
  }

  override async delete(key: string): Promise<boolean> {
    await this.#pass('backend.delete');
    const answer = await this.inner.delete(key);
    await this.#pass('backend.delete_done');
    return answer;
  }

  override async *list(options?: ListOptions): AsyncGenerator<ListedObject, void> {
    for await (const entry of this.inner.list(options)) {
      await this.#pass('backend.list');
      yield entry;
    }
  }

  override async *walk(options?: WalkOptions): AsyncGenerator<ListedObject | ForeignEntry, void> {
    for await (const entry of this.inner.walk(options)) {
      await this.#pass('backend.list');
      yield entry;
    }
  }

  override async *listUnfinished(): AsyncGenerator<UnfinishedObject, void> {
    await this.#pass('backend.unfinished');
    yield* this.inner.listUnfinished();
  }

  override async removeUnfinished(olderThanMs: number, kept?: ReadonlySet<string>): Promise<number> {
    await this.#pass('backend.unfinished');
    return await this.inner.removeUnfinished(olderThanMs, kept);
  }

  override async presignPut(key: string, options: PresignPutOptions): Promise<string> {
    await this.#pass('backend.presign');
    return await this.inner.presignPut(key, options);
  }

  override async presignGet(key: string, options: PresignGetOptions): Promise<string> {
    await this.#pass('backend.presign');
    return await this.inner.presignGet(key, options);
  }

  override async check(): Promise<void> {
    await this.#pass('backend.check');
    await this.inner.check();
  }

  /** Passes a point; a planned errno becomes what a store's client makes of it. */
  async #pass(point: FaultPoint): Promise<void> {
    try {
      await this.#plan(point);
    } catch (error) {
      throw s3Error(error);
    }
  }
}
