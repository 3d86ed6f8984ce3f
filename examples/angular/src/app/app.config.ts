/** What the whole application is given: no Zone.js, routes, and requests of its own API that carry the token. */
import { type HttpInterceptorFn, provideHttpClient, withFetch, withInterceptors } from '@angular/common/http';
import {
  type ApplicationConfig,
  inject,
  provideBrowserGlobalErrorListeners,
  provideZonelessChangeDetection,
} from '@angular/core';
import { provideClientHydration } from '@angular/platform-browser';
import { provideRouter, type Routes, withComponentInputBinding } from '@angular/router';
import { ReportPage } from './reports/report-page';
import { Welcome } from './reports/welcome';
import { Session } from './session/session';

const routes: Routes = [
  { path: '', component: Welcome, pathMatch: 'full', title: 'Potholes' },
  { path: 'reports/:id', component: ReportPage, title: 'Report · Potholes' },
  { path: '**', redirectTo: '' },
];

/** The application's own API gets the token, and nobody else does: Rowlock's client sends it by itself. */
const withToken: HttpInterceptorFn = (request, next) => {
  const token = inject(Session).token();
  const isOurs = request.url.startsWith('/api/');
  return next(
    isOurs && token !== undefined ? request.clone({ setHeaders: { authorization: `Bearer ${token}` } }) : request,
  );
};

export const appConfig: ApplicationConfig = {
  providers: [
    provideZonelessChangeDetection(),
    provideBrowserGlobalErrorListeners(),
    provideClientHydration(),
    provideHttpClient(withFetch(), withInterceptors([withToken])),
    provideRouter(routes, withComponentInputBinding()),
  ],
};
