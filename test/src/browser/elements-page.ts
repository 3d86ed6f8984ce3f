/**
 * Our custom elements on a page of their own, in Chromium, over the real service: under the console's address and its
 * exact policy on content, without the console. It knows how to make such a page and nothing of what a test expects.
 */
import { type ConsoleInChromium, keyOf, type Page } from './console-in-chromium.ts';

export interface ElementsPage {
  /** Who is signed in; nobody where undefined. */
  readonly as?: string;
  /** Where the service is reached, where that is not its own address. */
  readonly origin?: string;
  readonly page?: Page;
}

/** Opens a page with the elements defined and nothing on it, and with `client` and `elements` to be used by scripts. */
export async function openElements(
  site: ConsoleInChromium,
  { as, origin = site.service.url, page: given }: ElementsPage = {},
): Promise<Page> {
  const page = given ?? (await site.newPage());
  const address = `${origin}/console/elements-page.html`;
  const real = await fetch(site.url);
  const body = (await real.text())
    .replace(/<script type="module".*?<\/script>/, '')
    .replace(/<body>.*<\/body>/s, '<body><main></main></body>');
  const policy = real.headers.get('content-security-policy') ?? '';
  // A service that is killed has no console: its modules come from the one that has.
  await page.route(`${origin}/console/**`, async (route) => {
    const url = new URL(route.request().url());
    await (url.href === address
      ? route.fulfill({ contentType: 'text/html', body, headers: { 'content-security-policy': policy } })
      : route.fulfill({ response: await route.fetch({ url: site.service.url + url.pathname }) }));
  });
  await page.goto(address);
  const token = as === undefined ? 'undefined' : JSON.stringify(await keyOf(as));
  await page.evaluate(`(async () => {
    const { createClient } = await import('@rowlock/client');
    const elements = await import('@rowlock/elements');
    elements.defineElements();
    Object.assign(window, { elements, told: [], client: createClient({ url: location.origin, token: ${token} }) });
  })()`);
  return page;
}

/** Puts an element on the page, with its client and what it tells kept in `told`. */
export async function place(page: Page, name: string, attributes: Readonly<Record<string, string>>): Promise<void> {
  await page.evaluate(`(() => {
    const made = document.createElement(${JSON.stringify(name)});
    for (const [name, value] of Object.entries(${JSON.stringify(attributes)})) made.setAttribute(name, value);
    made.client = client;
    for (const kind of ['rowlock-uploaded', 'rowlock-upload-failed', 'rowlock-located', 'rowlock-place', 'rowlock-open']) {
      document.addEventListener(kind, ({ detail }) => told.push({ kind, detail }));
    }
    document.querySelector('main').append(made);
  })()`);
}
