/**
 * The console: who is signed in, which view stands for the address, and the changes from one to the next. What a view
 * shows is its own.
 */

import { whoIs } from '@rowlock/client';
import { button, byId, element } from './element.ts';
import { failedState } from './empty-state.ts';
import { bucketsView } from './files/buckets-view.ts';
import { withStyle } from './load-style.ts';
import { type Page, pageOf, pageTitles, type ServicePageName } from './page.ts';
import { home, type Place } from './place.ts';
import { forgetKey, type Session, sessionOf, storedKey, storeKey, takeLinkFromAddress } from './session.ts';
import { exchangeLink } from './sign-in-link.ts';
import { signInView } from './sign-in-view.ts';
import { signedInClient, uploadClient } from './signed-in-client.ts';
import { announce } from './status-line.ts';
import type { SessionUploads } from './uploads/session-uploads.ts';
import { attempt, type ViewContext } from './view.ts';
import { nameInText } from './visible-name.ts';
import { clockInWords } from './wording.ts';

interface SignedIn {
  readonly session: Session;
  /** Whether the service answers this session on every page; unknown until it said so. */
  isService: boolean;
  /** There once a folder was opened. */
  uploads: SessionUploads | undefined;
  readonly ending: AbortController;
}

let signedIn: SignedIn | undefined;
let leaving: AbortController = new AbortController();

/** Starts a session, in the place of one that there is. */
function signIn(session: Session): void {
  endSession();
  storeKey(session.key);
  const ending = new AbortController();
  const now: SignedIn = { session, uploads: undefined, ending, isService: false };
  signedIn = now;
  showAccount(session);
  void attempt({ signal: ending.signal, signOut }, async () => {
    now.isService = (await whoIs(signedInClient(session.key, ending.signal))).is_service;
    showNavigation(pageOf(location.hash).name);
  });
}

function endSession(): void {
  signedIn?.ending.abort();
  signedIn = undefined;
  byId('account').replaceChildren();
}

function signOut(why?: string): void {
  forgetKey();
  endSession();
  showNavigation('files');
  showSignIn(why);
}

function showAccount({ who, role, expires_at }: Session): void {
  const until = expires_at === undefined ? '' : `until ${clockInWords(expires_at)}`;
  const details = [role === who ? undefined : role, until].filter((each) => each).join(', ');
  byId('account').replaceChildren(
    element('span', { class: 'who' }, element('strong', {}, nameInText(who)), element('span', {}, details)),
    button({ class: 'quiet', press: () => signOut() }, 'Sign out'),
  );
}

/** Puts a view in the place of the one before, whose work under way ends. */
function show(title: string, view: (signal: AbortSignal) => HTMLElement): void {
  leaving.abort();
  leaving = new AbortController();
  document.title = `${title} · Rowlock`;
  byId('main').replaceChildren(view(leaving.signal));
  byId('main').querySelector('h1')?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function showSignIn(why?: string): void {
  show('Sign in', (signal) =>
    signInView(why, signal, (session) => {
      signIn(session);
      showPage(pageOf(location.hash));
      announce(`Signed in as ${nameInText(session.who)}.`);
    }),
  );
}

/** The pages of the service are loaded when they are first asked for. */
const servicePages: Readonly<
  Record<ServicePageName, () => Promise<(context: ViewContext, about: readonly string[]) => HTMLElement>>
> = {
  jobs: () => withStyle('jobs.css', async () => (await import('./jobs/jobs-view.ts')).jobsView),
  access: () => withStyle('access.css', async () => (await import('./access/access-view.ts')).accessView),
  health: () => withStyle('health.css', async () => (await import('./health/health-view.ts')).healthView),
};

/** The pages that the session may see, with the one that is shown marked. */
function showNavigation(shown: Page['name']): void {
  const names = signedIn?.isService === true ? (Object.keys(pageTitles) as Page['name'][]) : [];
  const links = names.map((name) => {
    const current = name === shown ? 'page' : undefined;
    return element('a', { href: name === 'files' ? '#/' : `#${name}`, 'aria-current': current }, pageTitles[name]);
  });
  byId('pages').replaceChildren(...links);
}

function showPage(page: Page): void {
  const { session } = signedIn ?? {};
  showNavigation(page.name);
  if (session === undefined || page.name === 'files') {
    showPlace(page.name === 'files' ? page.place : home);
    return;
  }
  const { name, about } = page;
  show(pageTitles[name], (signal) => {
    const context = { client: signedInClient(session.key, signal), signal, signOut };
    return loadedView(signal, async () => (await servicePages[name]())(context, about));
  });
}

/** Stands where a view will be once its module is there. */
function loadedView(signal: AbortSignal, load: () => Promise<HTMLElement>): HTMLElement {
  const waiting = element('div', { class: 'view', 'aria-busy': 'true' });
  const arrive = async (): Promise<void> => {
    try {
      const view = await load();
      if (signal.aborted) return;
      waiting.replaceWith(view);
      view.querySelector('h1')?.focus({ preventScroll: true });
    } catch {
      waiting.replaceWith(failedState('This page could not be loaded.', () => location.reload()));
    }
  };
  void arrive();
  return waiting;
}

function showPlace(place: Place): void {
  const now = signedIn;
  if (now === undefined) {
    showSignIn();
    return;
  }
  const title = nameInText(place.folders.at(-1) ?? place.bucket ?? 'Buckets');
  show(title, (signal) => {
    const context = { client: signedInClient(now.session.key, signal), signal, signOut };
    return place.bucket === undefined
      ? bucketsView(context)
      : loadedView(signal, async () => openFolder(now, context, place));
  });
}

/** A folder brings what uploads need with it, once for the session. */
async function openFolder(now: SignedIn, context: ViewContext, place: Place): Promise<HTMLElement> {
  const [{ folderView }, { startUploads }] = await Promise.all([
    withStyle('files.css', () => import('./files/folder-view.ts')),
    import('./uploads/session-uploads.ts'),
  ]);
  const { session, ending } = now;
  now.uploads ??= startUploads(uploadClient(session.key), byId('uploads'), ending.signal);
  return folderView({ ...context, uploads: now.uploads.queue }, place);
}

/** Signs in by the address's link or by this tab's key, then shows what the address says. */
function enter(): void {
  const link = takeLinkFromAddress();
  if (link !== undefined) {
    void enterByLink(link);
    return;
  }
  const key = signedIn === undefined ? storedKey() : undefined;
  const session = key === undefined ? undefined : sessionOf(key);
  if (session !== undefined) {
    signIn(session);
  }
  showPage(pageOf(location.hash));
}

/** Gives a link's token for a key. A link that does not work says why. */
async function enterByLink(link: string): Promise<void> {
  const { key, problem } = await exchangeLink(link);
  const session = key === undefined ? undefined : sessionOf(key);
  if (session === undefined) {
    endSession();
    showNavigation('files');
    showSignIn(problem);
    return;
  }
  signIn(session);
  showPage(pageOf(location.hash));
  announce(`Signed in as ${nameInText(session.who)}.`);
}

addEventListener('hashchange', enter);
addEventListener('beforeunload', (event) => {
  if (signedIn?.uploads?.isBusy() === true) {
    event.preventDefault();
  }
});
enter();
