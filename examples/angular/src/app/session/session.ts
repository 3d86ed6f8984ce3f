/**
 * Who is signed in: a token of this tab, which the application's API and Rowlock both take. It knows nothing of passwords;
 * an application with an identity provider puts that one's token here instead.
 */
import { HttpClient } from '@angular/common/http';
import { Injectable, inject, signal } from '@angular/core';
import { firstValueFrom } from 'rxjs';

interface Configuration {
  readonly rowlockUrl: string;
  readonly people: readonly string[];
}

interface Known {
  readonly person: string;
  readonly token: string;
}

const storageKey = 'potholes.session';

@Injectable({ providedIn: 'root' })
export class Session {
  readonly #http = inject(HttpClient);
  readonly #known = signal<Known | undefined>(undefined);
  readonly #configuration = signal<Configuration | undefined>(undefined);
  readonly #problem = signal<string | undefined>(undefined);

  readonly configuration = this.#configuration.asReadonly();
  /** Why nobody can sign in now. */
  readonly problem = this.#problem.asReadonly();

  /** The token, which changes when somebody else signs in. */
  token(): string | undefined {
    return this.#known()?.token;
  }

  person(): string | undefined {
    return this.#known()?.person;
  }

  /** Asks where Rowlock is, and finds who signed in before a reload. For browsers: nothing is known while rendering. */
  async begin(): Promise<void> {
    try {
      this.#configuration.set(await firstValueFrom(this.#http.get<Configuration>('/api/configuration')));
      const kept = sessionStorage.getItem(storageKey);
      if (kept !== null) this.#known.set(JSON.parse(kept) as Known);
    } catch {
      this.#problem.set('The application does not answer. Is `npm start` running?');
    }
  }

  async signIn(person: string): Promise<void> {
    const known = await firstValueFrom(this.#http.post<Known>('/api/session', { person }));
    sessionStorage.setItem(storageKey, JSON.stringify(known));
    this.#known.set(known);
  }

  signOut(): void {
    sessionStorage.removeItem(storageKey);
    this.#known.set(undefined);
  }
}
