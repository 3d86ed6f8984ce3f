/** What stands in the place of a report while none is chosen. */
import { ChangeDetectionStrategy, Component } from '@angular/core';

@Component({
  selector: 'app-welcome',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <section class="card">
      <h1>Which pothole?</h1>
      <p class="soft">Choose a report, or write a new one. Then add photos to it.</p>
    </section>
  `,
  styles: `
    section {
      display: grid;
      gap: 0.5rem;
      padding: 1.75rem;
    }
  `,
})
export class Welcome {}
