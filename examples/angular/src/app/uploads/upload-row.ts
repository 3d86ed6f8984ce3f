/** One photo on its way, as a row: a bar with rate and time left, then what was read of it, or what went wrong. */
import { ChangeDetectionStrategy, Component, computed, inject, input } from '@angular/core';
import type { PhotoLocation } from './photo-location';
import type { PhotoUpload } from './photo-upload';
import { PhotoUploads } from './photo-uploads';
import { sizeText, timeLeftText } from './wording';

@Component({
  selector: 'app-upload-row',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    @let upload = this.upload();
    <div class="text">
      <span class="name">{{ upload.file.name }}</span>
      <span class="small" [class.soft]="upload.state() !== 'failed'" [class.wrong]="upload.state() === 'failed'">
        {{ status() }}
      </span>
      @if (upload.state() === 'sending') {
        <progress max="100" [value]="upload.percent()" [attr.aria-label]="'Upload of ' + upload.file.name"></progress>
      }
      @if (place(); as text) {
        <span class="small place" role="status">{{ text }}</span>
      }
    </div>
    <div class="actions">
      @if (upload.fileId() === undefined && (upload.state() === 'failed' || upload.state() === 'cancelled')) {
        <button type="button" class="button" (click)="uploads.retry(upload)">Try again</button>
      }
      @if (upload.isOver()) {
        <button type="button" class="button" (click)="uploads.dismiss(upload)">
          Dismiss<span class="unseen"> {{ upload.file.name }}</span>
        </button>
      } @else {
        <button type="button" class="button" (click)="uploads.cancel(upload)">
          Cancel<span class="unseen"> {{ upload.file.name }}</span>
        </button>
      }
    </div>
  `,
  styleUrl: './upload-row.css',
})
export class UploadRow {
  protected readonly uploads = inject(PhotoUploads);
  readonly upload = input.required<PhotoUpload>();

  protected readonly status = computed(() => {
    const upload = this.upload();
    switch (upload.state()) {
      case 'waiting':
        return `${sizeText(upload.file.size)}, waiting`;
      case 'sending':
        return this.#sendingText();
      case 'reading':
        return 'Uploaded. Making thumbnails…';
      case 'ready':
        return 'Ready';
      case 'failed':
        return `Failed: ${upload.error() ?? 'nobody knows why'}`;
      case 'cancelled':
        return 'Cancelled';
    }
  });

  protected readonly place = computed(() => {
    const upload = this.upload();
    const location = upload.location();
    if (!upload.consentLocation || upload.state() === 'failed') return undefined;
    if (location === undefined) return upload.state() === 'reading' ? 'Extracting GPS…' : undefined;
    return locationText(location);
  });

  #sendingText(): string {
    const upload = this.upload();
    const progress = upload.progress();
    if (progress === undefined) return `${sizeText(upload.file.size)}, starting`;
    if (progress.phase === 'retrying') return 'The connection was lost. Trying again…';
    const rate = progress.bytesPerSecond === undefined ? '' : `, ${sizeText(progress.bytesPerSecond)}/s`;
    const left = progress.secondsLeft === undefined ? '' : `, ${timeLeftText(progress.secondsLeft)}`;
    return `${sizeText(progress.bytesSent)} of ${sizeText(progress.bytesTotal)}${rate}${left}`;
  }
}

function locationText(location: PhotoLocation): string {
  switch (location.state) {
    case 'found':
      return `Location automatically detected: ${location.latitude.toFixed(5)}, ${location.longitude.toFixed(5)}`;
    case 'unreadable':
      return 'The location in this photo cannot be read';
    case 'none':
    case 'withheld':
    case 'hidden':
      return 'No location in this photo';
  }
}
