/** The reports as a list to choose from, and the field for a new one. */
import { DatePipe } from '@angular/common';
import { ChangeDetectionStrategy, Component, inject, signal } from '@angular/core';
import { Router, RouterLink, RouterLinkActive } from '@angular/router';
import { Reports } from './reports';

@Component({
  selector: 'app-report-list',
  changeDetection: ChangeDetectionStrategy.OnPush,
  imports: [DatePipe, RouterLink, RouterLinkActive],
  template: `
    <section class="card list" aria-labelledby="reports-title">
      <h2 id="reports-title">Reports</h2>
      <form class="new" (submit)="add($event, title.value)">
        <label class="unseen" for="new-title">What and where</label>
        <input #title id="new-title" class="field" name="title" maxlength="120" required autocomplete="off"
          placeholder="Deep hole, Mill Road" />
        <button type="submit" class="button primary" [disabled]="isAdding()">Report</button>
      </form>
      @if (problem(); as text) {
        <p class="problem" role="alert">{{ text }}</p>
      }
      @if (reports.failed()) {
        <p class="problem" role="alert">The reports could not be read.</p>
      }
      <ul>
        @for (report of reports.all(); track report.id) {
          <li>
            <a class="report" [routerLink]="['/reports', report.id]" routerLinkActive="chosen" ariaCurrentWhenActive="page">
              <span class="title">{{ report.title }}</span>
              <span class="soft small">
                {{ report.isMine ? 'you' : report.reportedBy }}, {{ report.reportedAt | date: 'd MMM, HH:mm' }}
                @if (report.latitude !== null) {
                  · on the map
                }
              </span>
              <span class="badge small" [class.open]="report.isPublic">{{ report.isPublic ? 'public' : 'private' }}</span>
            </a>
          </li>
        } @empty {
          <li class="soft empty">{{ reports.isLoading() ? 'Loading…' : 'Nothing is reported yet.' }}</li>
        }
      </ul>
    </section>
  `,
  styleUrl: './report-list.css',
})
export class ReportList {
  readonly #router = inject(Router);
  protected readonly reports = inject(Reports);
  protected readonly isAdding = signal(false);
  protected readonly problem = signal<string | undefined>(undefined);

  protected async add(event: Event, title: string): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    this.isAdding.set(true);
    this.problem.set(undefined);
    try {
      const { id } = await this.reports.add(title);
      form.reset();
      await this.#router.navigate(['/reports', id]);
    } catch {
      this.problem.set('The report could not be made. Try again.');
    } finally {
      this.isAdding.set(false);
    }
  }
}
