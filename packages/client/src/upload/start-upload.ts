/**
 * Starts an upload and gives back the handle by which it is watched, paused and ended. What carries it out is loaded when it is
 * needed, so that a page which uploads nothing does not load it. Invariant: nothing is told before whoever started it has the handle.
 */
import type { StorageClient } from '../client.ts';
import { RowlockError } from '../contract/errors.ts';
import type { AskedUpload } from './carry-out-upload.ts';
import { type PartSource, sourceOf } from './part-source.ts';
import { ProgressMeter } from './progress-meter.ts';
import { UploadControl } from './upload-control.ts';
import type {
  Upload,
  UploadChoices,
  UploadedFile,
  UploadProgress,
  UploadSource,
  UploadTarget,
} from './upload-options.ts';

/** Starts it. */
export function startUpload(client: StorageClient, file: UploadSource, options: UploadTarget & UploadChoices): Upload {
  return new StartedUpload(client, file, options);
}

class StartedUpload implements Upload {
  readonly done: Promise<UploadedFile>;
  readonly #control: UploadControl;
  readonly #meter: ProgressMeter;

  constructor(client: StorageClient, file: UploadSource, options: UploadTarget & UploadChoices) {
    const source = readable(sourceOf(file));
    this.#control = new UploadControl(options.signal, () => this.#meter.interrupted());
    this.#meter = new ProgressMeter(source.size, {
      tell: options.onProgress,
      isPaused: () => this.#control.isPaused,
    });
    const running = { client, target: options, source, choices: options, control: this.#control, meter: this.#meter };
    this.done = carriedOut({ ...running, ...namesOf(file, options) }, file).finally(() => this.#control.close());
  }

  get progress(): UploadProgress {
    return this.#meter.progress;
  }

  pause(): void {
    this.#control.pause();
  }

  resume(): void {
    this.#control.resume();
  }

  cancel(): void {
    this.#control.cancel();
  }

  // biome-ignore lint/suspicious/noThenProperty: an upload is awaited like any promise.
  then<A = UploadedFile, B = never>(
    onDone?: ((file: UploadedFile) => A | PromiseLike<A>) | null,
    onFailed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.done.then(onDone, onFailed);
  }
}

/** @throws RowlockError `unavailable` where what carries it out cannot be loaded */
async function carriedOut(asked: AskedUpload, file: UploadSource): Promise<UploadedFile> {
  let carryOut: typeof import('./carry-out-upload.ts');
  try {
    carryOut = await import('./carry-out-upload.ts');
  } catch (cause) {
    throw new RowlockError('unavailable', 'The code that uploads could not be loaded', { cause });
  }
  return await carryOut.carryOutUpload(asked, file);
}

function namesOf(file: UploadSource, { contentType, fileName }: UploadChoices) {
  const { type, name } = file as { readonly type?: string; readonly name?: string };
  return {
    contentType: contentType ?? (type === '' ? undefined : type),
    fileName: fileName ?? name ?? 'file',
  };
}

/** A file that changed or went away since it was chosen is told as that. */
function readable(source: PartSource): PartSource {
  return {
    size: source.size,
    body: source.body,
    read: async (start, end) => {
      try {
        return await source.read(start, end);
      } catch (cause) {
        throw new RowlockError('incomplete_body', 'The file cannot be read any more', { cause });
      }
    },
  };
}
