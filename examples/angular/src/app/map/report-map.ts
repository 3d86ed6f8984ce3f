/**
 * The reports that say where they are, on a map without a tile server: nobody else learns what is looked at. The map is a
 * custom element, which is loaded in browsers only.
 */
import {
  afterNextRender,
  ChangeDetectionStrategy,
  Component,
  CUSTOM_ELEMENTS_SCHEMA,
  computed,
  inject,
  signal,
} from '@angular/core';
import { Router } from '@angular/router';
import type { MapPoint } from '@rowlock/elements';
import { Reports } from '../reports/reports';

@Component({
  selector: 'app-report-map',
  changeDetection: ChangeDetectionStrategy.OnPush,
  schemas: [CUSTOM_ELEMENTS_SCHEMA],
  template: `
    <section class="card" aria-labelledby="map-title">
      <h2 id="map-title">Map</h2>
      @if (isDefined()) {
        <rowlock-map label="Map of the reports" [points]="points()" (rowlock-place)="open($event)" />
      } @else {
        <div class="awaited"></div>
      }
      @if (points().length === 0) {
        <p class="soft small">Photos that say where they were taken put their report here.</p>
      }
    </section>
  `,
  styles: `
    section {
      display: grid;
      gap: 0.5rem;
      padding: 1rem;
    }
    rowlock-map {
      --rowlock-map-height: 15rem;
    }
    .awaited {
      height: 15rem;
      border-radius: 8px;
      background: var(--hover);
    }
  `,
})
export class ReportMap {
  readonly #reports = inject(Reports);
  readonly #router = inject(Router);
  protected readonly isDefined = signal(false);
  protected readonly points = computed(() =>
    this.#reports
      .all()
      .flatMap(({ id, title, latitude, longitude }) =>
        latitude === null || longitude === null
          ? []
          : [{ lat: latitude, lng: longitude, label: title, href: `/reports/${id}` }],
      ),
  );

  constructor() {
    afterNextRender(async () => {
      const { defineElements } = await import('@rowlock/elements');
      defineElements();
      this.isDefined.set(true);
    });
  }

  /** Without loading the page again, which the address would do. */
  protected open(event: Event): void {
    const { point } = (event as CustomEvent<{ readonly point: MapPoint }>).detail;
    if (point.href === undefined) return;
    event.preventDefault();
    void this.#router.navigateByUrl(point.href);
  }
}
