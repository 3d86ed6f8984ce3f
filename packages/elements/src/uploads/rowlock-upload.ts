/**
 * `<rowlock-upload>`: chooses files by key, click, drop, paste or camera, says before what is taken, and shows them on
 * their way. What is sent and again is the queue's; pages may give one of their own, which outlives the element.
 */
import { isRowlockError, type StorageClient } from '@rowlock/client';
import { ElementBase } from '../element-base.ts';
import { element } from '../page/element.ts';
import { oncePerTurn } from '../page/once-per-turn.ts';
import { failureInWords, filesInWords } from '../page/wording.ts';
import type { NamedFile } from './dropped-files.ts';
import { type FieldOptions, FileField } from './file-field.ts';
import { type Limits, limitsInWords, noLimits } from './limits.ts';
import { type Destination, isSettled, progressOf, type QueuedUpload } from './queued-upload.ts';
import { UploadList } from './upload-list.ts';
import { UploadQueue } from './upload-queue.ts';
import { uploadStyle } from './upload-style.ts';

const filesBucket = 'files';

export class RowlockUpload extends ElementBase {
  static readonly observedAttributes: readonly string[] = [
    'bucket',
    'prefix',
    'entity-type',
    'entity-id',
    'property-name',
    'multiple',
    'directory',
    'accept',
    'capture',
    'consent-location',
    'max',
  ];
  protected readonly styleText: string = uploadStyle;
  #client: StorageClient | undefined;
  #given: UploadQueue | undefined;
  #own: UploadQueue | undefined;
  #limits: Limits = noLimits;
  #consent: HTMLInputElement | undefined;
  #problem: HTMLElement | undefined;

  /** Whose requests these are. Files under way go on with the client that they began with. */
  get client(): StorageClient | undefined {
    return this.#client;
  }

  set client(client: StorageClient | undefined) {
    if (client !== this.#client) {
      this.#client = client;
      this.#own = undefined;
      this.#consent = undefined; // another person has agreed to nothing
      this.restart();
    }
  }

  /** The files on their way: the element's own unless the page gave one. */
  get queue(): UploadQueue | undefined {
    if (this.#given !== undefined || this.#client === undefined) {
      return this.#given;
    }
    this.#own ??= new UploadQueue(this.#client);
    return this.#own;
  }

  set queue(queue: UploadQueue | undefined) {
    this.#given = queue;
    this.restart();
  }

  attributeChangedCallback(): void {
    this.restart();
  }

  protected override draw(): void {
    this.#problem = element('p', { class: 'problem', role: 'alert' });
  }

  protected override enter(signal: AbortSignal): void {
    const { queue, shadowRoot } = this;
    const limitsLine = element('p', { class: 'hint', id: 'limits' });
    this.#limits = noLimits;
    this.#say('');
    const field = new FileField(this, this.#fieldOptions(), signal, (files) => this.#add(files));
    const consent = this.hasAttribute('consent-location') ? this.#consentBox() : undefined;
    field.element.append(limitsLine, ...(consent === undefined ? [] : [consent]));
    shadowRoot?.replaceChildren(field.element, ...(this.#problem === undefined ? [] : [this.#problem]));
    if (queue === undefined) {
      field.disable('Nobody is signed in.');
      return;
    }
    shadowRoot?.append(new UploadList(queue, signal).element);
    this.#tellOf(queue, signal);
    void this.#showLimits(limitsLine, field);
  }

  #fieldOptions(): FieldOptions {
    return {
      multiple: this.hasAttribute('multiple') || this.hasAttribute('directory'),
      directory: this.hasAttribute('directory'),
      accept: this.getAttribute('accept') ?? '',
      capture: this.getAttribute('capture'),
    };
  }

  #consentBox(): HTMLElement {
    const box = element('input', { type: 'checkbox' });
    box.checked = this.#consent?.checked ?? false;
    this.#consent = box;
    return element('label', { class: 'consent' }, box, 'Allow location detection from photos');
  }

  #destination(): Destination | undefined {
    const [entityType, entityId] = [this.getAttribute('entity-type'), this.getAttribute('entity-id')];
    const [bucket, propertyName] = [this.getAttribute('bucket'), this.getAttribute('property-name')];
    if (entityType !== null && entityId !== null) {
      return { entityType, entityId, ...(propertyName === null ? {} : { propertyName }) };
    }
    return bucket === null ? undefined : { bucket };
  }

  #add(files: readonly NamedFile[]): void {
    const [destination, queue] = [this.#destination(), this.queue];
    if (destination === undefined || queue === undefined || files.length === 0) {
      return;
    }
    const taken = files.slice(0, this.#filesMax());
    const left = files.length - taken.length;
    const others = left === 1 ? 'one was' : `${left} were`;
    this.#say(left === 0 ? '' : `Only ${filesInWords(taken.length)} can be taken at once; ${others} left out.`);
    const prefix = 'bucket' in destination ? (this.getAttribute('prefix') ?? '') : '';
    queue.add(
      destination,
      taken.map(({ name, file }) => ({ name: prefix + name, file })),
      { limits: this.#limits, consentLocation: this.#consent?.checked ?? false },
    );
  }

  #say(problem: string): void {
    if (this.#problem !== undefined) {
      this.#problem.textContent = problem;
    }
  }

  #filesMax(): number {
    const max = Number(this.getAttribute('max') ?? Number.NaN);
    const isMany = this.hasAttribute('multiple') || this.hasAttribute('directory');
    return !isMany ? 1 : max >= 1 ? Math.floor(max) : Number.POSITIVE_INFINITY;
  }

  async #showLimits(line: HTMLElement, field: FileField): Promise<void> {
    const bucket = this.getAttribute('bucket') ?? filesBucket;
    const isEntity = this.hasAttribute('entity-type');
    const atOnce = Number.isFinite(this.#filesMax()) && this.#filesMax() > 1;
    const more = atOnce ? ` Up to ${filesInWords(this.#filesMax())} at once.` : '';
    try {
      this.#limits = (await this.#client?.getBucket(bucket)) ?? noLimits;
      line.textContent = limitsInWords(this.#limits) + more;
      if (!this.hasAttribute('accept')) {
        field.accept((this.#limits.allowed_mime_types ?? []).join(','));
      }
    } catch (error) {
      if (!isRowlockError(error)) {
        throw error;
      }
      // Whoever may attach a file to a row need not be able to see the bucket.
      if (isEntity) {
        line.textContent = more.trim();
      } else {
        field.disable(failureInWords(error));
      }
    }
  }

  #tellOf(queue: UploadQueue, signal: AbortSignal): void {
    const told = new Map<string, string>(queue.entries().map(([id, upload]) => [id, outcomeOf(upload)]));
    const tellProgress = oncePerTurn(() => (signal.aborted ? undefined : this.#tellProgress(queue)));
    queue.listen((id, upload) => {
      if (upload === undefined) {
        told.delete(id);
        return;
      }
      const [before, outcome] = [told.get(id), outcomeOf(upload)];
      told.set(id, outcome);
      if (outcome !== before) {
        this.#tellOfOne(upload);
      }
      tellProgress();
    }, signal);
  }

  #tellProgress(queue: UploadQueue): void {
    const uploads = queue.entries().map(([, each]) => each);
    const open = uploads.filter((each) => !isSettled(each)).length;
    this.tell('rowlock-progress', { ...progressOf(uploads), open });
  }

  #tellOfOne(upload: QueuedUpload): void {
    const detail = { ...upload.destination, name: upload.name, file: upload.file };
    if (upload.place?.state === 'found') {
      const { latitude, longitude } = upload.place;
      this.tell('rowlock-located', { ...detail, uploaded: upload.uploaded, latitude, longitude });
    } else if (upload.state === 'done' && (upload.place === undefined || upload.place.state === 'looking')) {
      this.tell('rowlock-uploaded', { ...detail, uploaded: upload.uploaded });
    } else if (upload.state === 'failed') {
      this.tell('rowlock-upload-failed', { ...detail, error: upload.error });
    }
  }
}

/** What is told once of a file. */
function outcomeOf({ state, place }: QueuedUpload): string {
  return place === undefined || place.state === 'looking' ? state : `${state} ${place.state}`;
}
