/** The place where photos are added to a report: chosen, dropped, pasted or taken, with consent asked before. */
import { ChangeDetectionStrategy, Component, computed, inject, input, resource, signal } from '@angular/core';
import { Rowlock } from '../rowlock/rowlock';
import { PhotoUploads } from './photo-uploads';
import { UploadRow } from './upload-row';
import { sizeText } from './wording';

@Component({
  selector: 'app-photo-uploader',
  changeDetection: ChangeDetectionStrategy.OnPush,
  imports: [UploadRow],
  templateUrl: './photo-uploader.html',
  styleUrl: './photo-uploader.css',
  host: {
    '(document:paste)': 'paste($event)',
    '(window:beforeunload)': 'uploads.isBusy() && $event.preventDefault()',
  },
})
export class PhotoUploader {
  readonly #rowlock = inject(Rowlock);
  protected readonly uploads = inject(PhotoUploads);
  readonly reportId = input.required<string>();
  protected readonly consents = signal(false);
  protected readonly isDraggedOver = signal(false);
  protected readonly mine = computed(() => this.uploads.all().filter(({ reportId }) => reportId === this.reportId()));

  /** What the service takes, from the service: nothing of it is known here. */
  readonly #limits = resource({
    loader: async () => {
      const { file_size_limit } = await this.#rowlock.client.getBucket('files');
      return file_size_limit === null ? undefined : sizeText(file_size_limit);
    },
  });
  protected readonly sizeMax = computed(() => (this.#limits.hasValue() ? this.#limits.value() : undefined));

  /** For those who hear the page: how many are done, and what went wrong. */
  protected readonly summary = computed(() => {
    const states = this.mine().map((upload) => upload.state());
    const count = (wanted: string): number => states.filter((state) => state === wanted).length;
    const failed = count('failed') === 0 ? '' : `, ${count('failed')} failed`;
    return states.length === 0 ? '' : `${count('ready')} of ${states.length} photos are ready${failed}`;
  });

  protected choose(field: HTMLInputElement): void {
    this.#add(field.files);
    field.value = ''; // so that the same file can be chosen again
  }

  protected drop(event: DragEvent): void {
    event.preventDefault();
    this.isDraggedOver.set(false);
    this.#add(event.dataTransfer?.files);
  }

  protected paste(event: ClipboardEvent): void {
    this.#add(event.clipboardData?.files);
  }

  #add(files: FileList | null | undefined): void {
    if (files && files.length > 0) this.uploads.add([...files], this.reportId(), this.consents());
  }
}
