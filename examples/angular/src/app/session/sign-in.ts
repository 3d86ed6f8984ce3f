/** The sign-in of development: one button for each person. */
import { ChangeDetectionStrategy, Component, inject, signal } from '@angular/core';
import { Session } from './session';

@Component({
  selector: 'app-sign-in',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <section class="card sign-in" aria-labelledby="sign-in-title">
      <h1 id="sign-in-title">Report a pothole</h1>
      <p class="soft">Take a photo of it. Where it was taken, if you agree, puts the pothole on the map.</p>
      @if (session.problem() ?? problem(); as text) {
        <p class="problem" role="alert">{{ text }}</p>
      } @else if (session.configuration(); as configuration) {
        <p>Sign in as</p>
        <div class="people">
          @for (person of configuration.people; track person) {
            <button type="button" class="button primary" (click)="signIn(person)">{{ person }}</button>
          }
        </div>
      } @else {
        <p class="soft">Loading…</p>
      }
    </section>
  `,
  styles: `
    .sign-in {
      display: grid;
      gap: 0.75rem;
      max-width: 26rem;
      margin: clamp(1rem, 12vh, 6rem) auto 0;
      padding: 1.75rem;
    }
    .people {
      display: grid;
      grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr));
      gap: 0.75rem;
    }
    .people .button {
      text-transform: capitalize;
    }
  `,
})
export class SignIn {
  protected readonly session = inject(Session);
  protected readonly problem = signal<string | undefined>(undefined);

  protected async signIn(person: string): Promise<void> {
    try {
      await this.session.signIn(person);
    } catch {
      this.problem.set('That did not work. Reload the page and try again.');
    }
  }
}
