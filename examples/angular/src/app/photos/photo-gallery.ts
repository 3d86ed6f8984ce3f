/** The photos of a report, as a grid of tiles. A photo is opened in the lightbox; only then its original is loaded. */
import { ChangeDetectionStrategy, Component, effect, inject, input, signal, untracked } from '@angular/core';
import { PhotoLightbox } from './photo-lightbox';
import { PhotoTile } from './photo-tile';
import { Photos } from './photos';

@Component({
  selector: 'app-photo-gallery',
  changeDetection: ChangeDetectionStrategy.OnPush,
  imports: [PhotoLightbox, PhotoTile],
  providers: [Photos],
  template: `
    <section class="card gallery" aria-labelledby="photos-title">
      <h2 id="photos-title">Photos</h2>
      @if (problem() ?? (photos.failed() ? 'The photos could not be read.' : undefined); as text) {
        <p class="problem" role="alert">{{ text }}</p>
      }
      <ul>
        @for (photo of photos.all(); track photo.id) {
          <li><app-photo-tile [photo]="photo" (opened)="openedId.set(photo.id)" (removed)="remove(photo.id)" /></li>
        } @empty {
          <li class="soft empty">{{ photos.isLoading() ? 'Loading…' : 'No photos yet.' }}</li>
        }
      </ul>
    </section>
    @if (openedId(); as id) {
      <app-photo-lightbox [photos]="photos.all()" [photoId]="id" (moved)="openedId.set($event)"
        (removed)="remove($event)" (closed)="openedId.set(undefined)" />
    }
  `,
  styles: `
    .gallery {
      display: grid;
      gap: 0.75rem;
      padding: 1.25rem;
    }
    ul {
      display: grid;
      grid-template-columns: repeat(auto-fill, minmax(min(9.5rem, 40%), 1fr));
      gap: 0.75rem;
    }
    .empty {
      grid-column: 1 / -1;
    }
  `,
})
export class PhotoGallery {
  protected readonly photos = inject(Photos);
  readonly reportId = input.required<string>();
  protected readonly openedId = signal<string | undefined>(undefined);

  protected readonly problem = signal<string | undefined>(undefined);

  constructor() {
    effect(() => {
      const report = this.reportId();
      untracked(() => {
        this.openedId.set(undefined);
        this.photos.show(report);
      });
    });
  }

  protected async remove(photoId: string): Promise<void> {
    this.openedId.set(undefined);
    this.problem.set(undefined);
    try {
      await this.photos.remove(photoId);
    } catch {
      this.problem.set('The photo could not be deleted.');
    }
  }
}
