/** The frame of every page: who is signed in, the reports and their map, and beside them the place of the route. */
import { afterNextRender, ChangeDetectionStrategy, Component, inject, signal } from '@angular/core';
import { RouterLink, RouterOutlet } from '@angular/router';
import { ReportMap } from './map/report-map';
import { ReportList } from './reports/report-list';
import { ReportPage } from './reports/report-page';
import { Session } from './session/session';
import { SignIn } from './session/sign-in';

@Component({
  selector: 'app-root',
  changeDetection: ChangeDetectionStrategy.OnPush,
  imports: [RouterLink, RouterOutlet, ReportList, ReportMap, SignIn],
  templateUrl: './app.html',
  styleUrl: './app.css',
})
export class App {
  protected readonly session = inject(Session);
  /** On narrow screens a report is all that is seen then. */
  protected readonly isReportOpen = signal(false);

  constructor() {
    afterNextRender(() => this.session.begin());
  }

  protected show(page: unknown): void {
    this.isReportOpen.set(page instanceof ReportPage);
  }
}
