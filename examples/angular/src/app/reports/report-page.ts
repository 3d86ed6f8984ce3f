/** One report: who may see it, its photos, and the place where more are added. */
import { ChangeDetectionStrategy, Component, computed, inject, input, signal } from '@angular/core';
import { Router } from '@angular/router';
import { PhotoGallery } from '../photos/photo-gallery';
import { PhotoUploader } from '../uploads/photo-uploader';
import { Reports } from './reports';

@Component({
  selector: 'app-report-page',
  changeDetection: ChangeDetectionStrategy.OnPush,
  imports: [PhotoGallery, PhotoUploader],
  templateUrl: './report-page.html',
  styleUrl: './report-page.css',
})
export class ReportPage {
  readonly #router = inject(Router);
  readonly #reports = inject(Reports);
  /** Of the address. */
  readonly id = input.required<string>();
  protected readonly report = computed(() => this.#reports.all().find(({ id }) => id === this.id()));
  protected readonly isLoading = this.#reports.isLoading;
  protected readonly isAskedTwice = signal(false);
  protected readonly problem = signal<string | undefined>(undefined);

  protected async publish(isPublic: boolean): Promise<void> {
    await this.#attempted(() => this.#reports.publish(this.id(), isPublic));
  }

  protected async remove(): Promise<void> {
    if (!this.isAskedTwice()) {
      this.isAskedTwice.set(true);
      return;
    }
    await this.#attempted(async () => {
      await this.#reports.remove(this.id());
      await this.#router.navigate(['/']);
    });
  }

  async #attempted(change: () => Promise<void>): Promise<void> {
    this.problem.set(undefined);
    try {
      await change();
    } catch {
      this.problem.set('That did not work. Try again.');
    }
  }
}
