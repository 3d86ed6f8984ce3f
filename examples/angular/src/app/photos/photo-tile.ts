/** One photo of the gallery: its placeholder at once, its thumbnail when it is made, and in words what keeps it. */
import { ChangeDetectionStrategy, Component, computed, input, output, signal } from '@angular/core';
import type { Photo } from './photos';
import { placeholderUrl } from './placeholder-url';

@Component({
  selector: 'app-photo-tile',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    @let photo = this.photo();
    @if (photo.thumbnailUrl; as url) {
      <button type="button" class="tile" [attr.aria-label]="'Open ' + photo.name" (click)="opened.emit()">
        @if (placeholder(); as placeholder) {
          <img class="placeholder" [src]="placeholder" alt="" />
        }
        <img class="thumbnail" [class.shown]="isShown()" [src]="url" [alt]="photo.name" loading="lazy" (load)="isShown.set(true)" />
      </button>
    } @else {
      <div class="tile {{ photo.status }}">
        @if (placeholder(); as placeholder) {
          <img class="placeholder" [src]="placeholder" alt="" />
        }
        <span class="state">
          <span class="small">{{ stateText() }}</span>
          <span class="small name">{{ photo.name }}</span>
        </span>
        @if (photo.status === 'failed' && photo.isMine) {
          <button type="button" class="button small delete" (click)="removed.emit()">Delete<span class="unseen"> {{ photo.name }}</span></button>
        }
      </div>
    }
  `,
  styleUrl: './photo-tile.css',
})
export class PhotoTile {
  readonly photo = input.required<Photo>();
  readonly opened = output();
  readonly removed = output();
  protected readonly placeholder = computed(() => placeholderUrl(this.photo().thumbhash));
  protected readonly isShown = signal(false);
  protected readonly stateText = computed(() => {
    switch (this.photo().status) {
      case 'pending':
        return 'Queued';
      case 'processing':
        return 'Processing…';
      case 'failed':
        return 'Failed to process';
      case 'completed':
        return 'Loading…';
      case 'not_applicable':
        return 'No preview';
    }
  });
}
