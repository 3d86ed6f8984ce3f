/**
 * The reports that whoever is signed in may see. It asks the application's own API, whose database decides; after each
 * change the list is read again, so that what is shown is what the database says.
 */
import { HttpClient, httpResource } from '@angular/common/http';
import { computed, Injectable, inject, signal } from '@angular/core';
import { firstValueFrom } from 'rxjs';
import { Session } from '../session/session';
import { lastKnown } from './last-known';

export interface Report {
  readonly id: string;
  readonly title: string;
  readonly reportedBy: string;
  readonly reportedAt: string;
  readonly isPublic: boolean;
  readonly isMine: boolean;
  /** Where the first photo with a position was taken. */
  readonly latitude: number | null;
  readonly longitude: number | null;
}

@Injectable({ providedIn: 'root' })
export class Reports {
  readonly #http = inject(HttpClient);
  readonly #session = inject(Session);
  readonly #version = signal(0);
  readonly #list = httpResource<readonly Report[]>(() => {
    this.#version();
    return this.#session.token() === undefined ? undefined : '/api/potholes';
  });

  readonly #last = lastKnown(this.#list, () => this.#session.person());
  readonly all = computed(() => this.#last() ?? []);
  readonly isLoading = computed(() => this.#last() === undefined && !this.failed());
  readonly failed = computed(() => this.#list.error() !== undefined);

  /** Reads again, also while it is being read: what comes then may be older than what was changed since. */
  reload(): void {
    this.#version.update((version) => version + 1);
  }

  async add(title: string): Promise<Report> {
    const report = await firstValueFrom(this.#http.post<Report>('/api/potholes', { title }));
    this.reload();
    return report;
  }

  /** Shows a report and its photos to everybody who is signed in, or to its reporter alone. */
  async publish(id: string, isPublic: boolean): Promise<void> {
    await firstValueFrom(this.#http.patch(`/api/potholes/${id}`, { isPublic }));
    this.reload();
  }

  /** Deletes a report; the database deletes its photos with it. */
  async remove(id: string): Promise<void> {
    await firstValueFrom(this.#http.delete(`/api/potholes/${id}`));
    this.reload();
  }
}
