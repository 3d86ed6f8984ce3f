/**
 * The console in a real Chromium, over the real service. It knows how to open pages as somebody, and nothing of what a
 * test expects of them. Every browser has a profile of its own that goes with it.
 */
import { siteFolder } from '@rowlock/console';
import { type ServiceOptions, signToken, startService, type TestService, toolPath } from '@rowlock/test-harness';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Nothing that reaches out, and no sandbox, which root cannot have. */
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const actionTimeoutMs = 20_000;

export interface ConsoleInChromium {
  readonly service: TestService;
  readonly url: string;
  readonly browser: Browser;
  /** A page of a browser context of its own: no cookies, storage or cache of another. */
  newPage(): Promise<Page>;
  /** The console, signed in by the address as the subject, at a place such as `#/bucket/`. */
  open(as: string, place?: string): Promise<Page>;
  stop(): Promise<void>;
}

/** Signs a page in with a key, as one that was pasted in this tab is kept. */
export async function signIn(page: Page, url: string, key: string): Promise<void> {
  await page.goto(new URL('rowlock.svg', url).href);
  await page.evaluate(`sessionStorage.setItem('rowlock.key', ${JSON.stringify(key)})`);
  await page.goto(url);
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
}

/** Starts the service with its workers and a browser. */
export async function startConsole(options: ServiceOptions = {}): Promise<ConsoleInChromium> {
  const service = await startService({ ...options, config: { console_folder: siteFolder, ...options.config } });
  const browser = await chromium.launch({ executablePath: toolPath('chromium'), args: flags });
  const url = `${service.url}/console/`;
  const newPage = async (): Promise<Page> => {
    const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
    context.setDefaultTimeout(actionTimeoutMs);
    return context.newPage();
  };
  return {
    service,
    url,
    browser,
    newPage,
    async open(as, place = '#/') {
      const page = await newPage();
      await signIn(page, url, await keyOf(as));
      if (place !== '#/') await page.goto(url + place);
      return page;
    },
    async stop() {
      await browser.close();
      await service.stop();
    },
  };
}

/** A key of somebody who is signed in; of the service role for `service`. */
export function keyOf(subject: string): Promise<string> {
  return signToken(subject === 'service' ? { role: 'service_role' } : { sub: subject, role: 'authenticated' });
}

/** What is in the clipboard of a page's context. */
export function clipboardOf(page: Page): Promise<string> {
  return page.evaluate<string>('navigator.clipboard.readText()');
}

/** The file field of a folder: it is there, and under what is seen. */
export function fileField(page: Page): ReturnType<Page['locator']> {
  return page.locator('input[type="file"]');
}

export type { Page };
