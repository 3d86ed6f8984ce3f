/**
 * The console: who is signed in, which view stands for the address, and the changes from one to the next. What a view
 * shows is its own.
 */
import { bucketsView } from './buckets-view.ts';
import { button, byId, element } from './element.ts';
import { folderView } from './folder-view.ts';
import { type Place, placeOf } from './place.ts';
import { forgetKey, type Session, sessionOf, storedKey, storeKey, takeKeyFromAddress } from './session.ts';
import { signInView } from './sign-in-view.ts';
import { signedInClient } from './signed-in-client.ts';
import { announce } from './status-line.ts';
import { isSettled, UploadQueue } from './upload-queue.ts';
import { showUploads } from './upload-tray.ts';
import { nameInText } from './visible-name.ts';
import { clockInWords } from './wording.ts';

interface SignedIn {
  readonly session: Session;
  readonly uploads: UploadQueue;
  readonly ending: AbortController;
}

let signedIn: SignedIn | undefined;
let leaving: AbortController = new AbortController();

/** Starts a session, in the place of one that there is. */
function signIn(session: Session): void {
  endSession();
  storeKey(session.key);
  const uploads = new UploadQueue(session.key);
  const ending = new AbortController();
  showUploads(byId('uploads'), uploads, ending.signal);
  signedIn = { session, uploads, ending };
  showAccount(session);
}

function endSession(): void {
  signedIn?.uploads.cancelAll();
  signedIn?.ending.abort();
  signedIn = undefined;
  byId('account').replaceChildren();
}

function signOut(why?: string): void {
  forgetKey();
  endSession();
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
      showPlace(placeOf(location.hash));
      announce(`Signed in as ${nameInText(session.who)}.`);
    }),
  );
}

function showPlace(place: Place): void {
  const { session, uploads } = signedIn ?? {};
  if (session === undefined || uploads === undefined) {
    showSignIn();
    return;
  }
  const title = nameInText(place.folders.at(-1) ?? place.bucket ?? 'Buckets');
  show(title, (signal) => {
    const context = { client: signedInClient(session.key, signal), uploads, signal, signOut };
    return place.bucket === undefined ? bucketsView(context) : folderView(context, place);
  });
}

/** Signs in by the address's key or this tab's, then shows what the address says. */
function enter(): void {
  const given = takeKeyFromAddress();
  const key = given ?? (signedIn === undefined ? storedKey() : undefined);
  const session = key === undefined ? undefined : sessionOf(key);
  if (session !== undefined) {
    signIn(session);
  }
  if (given !== undefined && session !== undefined) {
    announce(`Signed in as ${nameInText(session.who)}.`);
  }
  if (given !== undefined && session === undefined) {
    signOut('The link’s key cannot be read. Ask for a new link, or paste a key.');
    return;
  }
  showPlace(placeOf(location.hash));
}

addEventListener('hashchange', enter);
addEventListener('beforeunload', (event) => {
  if (signedIn?.uploads.entries().some(([, upload]) => !isSettled(upload))) {
    event.preventDefault();
  }
});
enter();
