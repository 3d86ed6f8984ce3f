/**
 * A photo in full, with what is known of it. The original is asked for as it is opened, by a URL that lives a few minutes; its
 * thumbnail is seen until it is there, and stays where browsers cannot show the format. Arrow keys go on, Escape closes.
 */
import {
  afterNextRender,
  ChangeDetectionStrategy,
  Component,
  computed,
  type ElementRef,
  inject,
  input,
  linkedSignal,
  output,
  resource,
  viewChild,
} from '@angular/core';
import { FileUploadService } from '../uploads/file-upload-service';
import { sizeText } from '../uploads/wording';
import type { Photo } from './photos';

@Component({
  selector: 'app-photo-lightbox',
  changeDetection: ChangeDetectionStrategy.OnPush,
  templateUrl: './photo-lightbox.html',
  styleUrl: './photo-lightbox.css',
})
export class PhotoLightbox {
  readonly #service = inject(FileUploadService);
  readonly photos = input.required<readonly Photo[]>();
  readonly photoId = input.required<string>();
  readonly moved = output<string>();
  readonly removed = output<string>();
  readonly closed = output();
  protected readonly dialog = viewChild.required<ElementRef<HTMLDialogElement>>('frame');

  /** Those that can be shown. */
  readonly #shown = computed(() => this.photos().filter(({ thumbnailUrl }) => thumbnailUrl !== null));
  readonly #place = computed(() => this.#shown().findIndex(({ id }) => id === this.photoId()));
  protected readonly photo = computed(() => this.#shown()[this.#place()]);
  protected readonly previous = computed(() => this.#shown()[this.#place() - 1]);
  protected readonly next = computed(() => this.#shown()[this.#place() + 1]);
  protected readonly facts = computed(() => {
    const photo = this.photo();
    if (photo === undefined) return '';
    const pixels = photo.width === null ? '' : `${photo.width} × ${photo.height} pixels, `;
    return `${pixels}${sizeText(photo.size)}`;
  });

  readonly #original = resource({
    params: () => this.photoId(),
    loader: ({ params }) => this.#service.originalUrl(params),
  });
  readonly #location = resource({
    params: () => this.photoId(),
    loader: ({ params, abortSignal }) => this.#service.waitForLocation(params, { signal: abortSignal }),
  });
  protected readonly originalUrl = computed(() => (this.#original.hasValue() ? this.#original.value() : undefined));
  protected readonly originalIs = linkedSignal<string, 'awaited' | 'shown' | 'unshowable'>({
    source: this.photoId,
    computation: () => 'awaited',
  });
  protected readonly place = computed(() => {
    const location = this.#location.hasValue() ? this.#location.value() : undefined;
    return location?.state === 'found'
      ? `${location.latitude.toFixed(5)}, ${location.longitude.toFixed(5)}`
      : undefined;
  });

  protected readonly isAskedTwice = linkedSignal({ source: this.photoId, computation: () => false });

  constructor() {
    afterNextRender(() => this.dialog().nativeElement.showModal());
  }

  protected go(photo: Photo | undefined): void {
    if (photo !== undefined) this.moved.emit(photo.id);
  }

  protected remove(): void {
    if (this.isAskedTwice()) this.removed.emit(this.photoId());
    else this.isAskedTwice.set(true);
  }

  /** Takes back the consent: what was known of the place is deleted. */
  protected async forgetPlace(): Promise<void> {
    await this.#service.forgetLocation(this.photoId());
    this.#location.reload();
  }

  /** A click beside the picture closes, as everywhere. */
  protected closeBeside(event: Event): void {
    if (event.target === this.dialog().nativeElement) this.dialog().nativeElement.close();
  }
}
