/**
 * Every page and dialog of the console before axe-core's rules of WCAG 2.2 A and AA: wide and light, narrow and dark; with
 * ROWLOCK_ROUNDS the other two as well. What a program cannot see of accessibility, `keyboard.test.ts` and people look at.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { requires } from '@rowlock/test-harness';
import { type ConsoleInChromium, fileField, type Page, startConsole } from './console-in-chromium.ts';

const skip = requires('chromium');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const forms = [
  { width: 1280, colorScheme: 'light' },
  { width: 390, colorScheme: 'dark' },
  ...(process.env['ROWLOCK_ROUNDS'] === undefined
    ? []
    : ([
        { width: 1280, colorScheme: 'dark' },
        { width: 390, colorScheme: 'light' },
      ] as const)),
] as const;
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const photo = readFileSync(new URL('../../../packages/cli/assets/sample.jpg', import.meta.url));
let site: ConsoleInChromium;

before(async () => {
  if (skip !== false) return;
  site = await startConsole();
  const post = async (path: string, type: string, body: string | Buffer): Promise<void> => {
    const headers = { 'content-type': type };
    const init = { as: 'ann', method: 'POST', headers, body: typeof body === 'string' ? body : new Uint8Array(body) };
    const answer = await site.service.fetch(`/storage/v1/${path}`, init);
    assert.ok(answer.ok, `${path}: ${answer.status}`);
  };
  await post('bucket', 'application/json', JSON.stringify({ name: 'papers', versioning: 'on' }));
  await post('object/papers/plan.txt', 'text/plain', 'a plan');
  await post('object/papers/trips/day1.jpg', 'image/jpeg', photo);
  await post('object/papers/day1.jpg', 'image/jpeg', photo);
  await post('object/sign/papers/plan.txt', 'application/json', JSON.stringify({ expiresIn: 600, max_uses: 3 }));
});
after(() => site?.stop());

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary: string }[];
}

/** What breaks a rule in the page as it is, in one form: each with where and why. */
async function violations(page: Page, form: string): Promise<string[]> {
  const found = await page.evaluate<readonly Violation[]>(
    `axe.run(document, { runOnly: ${JSON.stringify(tags)}, resultTypes: ['violations'] }).then((result) => result.violations)`,
  );
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${form}: ${id} at ${target.join(' ')}: ${failureSummary}`),
  );
}

async function assertAccessible(page: Page): Promise<void> {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.evaluate(axe);
  const found: string[] = [];
  for (const { width, colorScheme } of forms) {
    await page.setViewportSize({ width, height: 860 });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    found.push(...(await violations(page, `${width} ${colorScheme}`)));
  }
  await page.context().close();
  assert.deepEqual(found, []);
}

/** Each state of the console, as somebody comes to it. */
const states: Readonly<Record<string, () => Promise<Page>>> = {
  'signing in': async () => {
    const page = await site.newPage();
    await page.goto(site.url);
    await page.getByLabel('Your key').fill('no key');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('This is not a key').waitFor();
    return page;
  },
  buckets: async () => {
    const page = await site.open('ann');
    await page.getByRole('link', { name: 'papers' }).waitFor();
    return page;
  },
  'the dialog for a new bucket': async () => {
    const page = await site.open('ann');
    await page.getByRole('button', { name: 'New bucket' }).click();
    await page.getByRole('dialog').waitFor();
    return page;
  },
  'a folder, with uploads': async () => {
    const page = await site.open('ann', '#/papers/');
    await page.getByRole('button', { name: 'plan.txt', exact: true }).waitFor();
    await fileField(page).setInputFiles({ name: 'new.txt', mimeType: 'text/plain', buffer: Buffer.from('new') });
    await page.getByRole('region', { name: 'Uploads' }).getByText('new.txt').waitFor();
    await page.getByRole('button', { name: 'new.txt', exact: true }).waitFor();
    return page;
  },
  'a file': async () => {
    const page = await site.open('ann', '#/papers/');
    await page.getByRole('button', { name: 'day1.jpg', exact: true }).click();
    await page.getByRole('dialog').getByText('image/jpeg').first().waitFor();
    return page;
  },
  'the links of a file': async () => {
    const page = await site.open('ann', '#/papers/');
    await page.getByRole('button', { name: 'plan.txt', exact: true }).click();
    await page.getByRole('dialog').getByRole('tab', { name: 'Links' }).click();
    await page.getByRole('dialog').getByText('3 of 3').first().waitFor();
    return page;
  },
  jobs: () => pageOfService('#jobs', 'Jobs'),
  health: () => pageOfService('#health', 'Health'),
  access: async () => {
    const page = await pageOfService('#access/papers/plan.txt', 'Access');
    await page.getByLabel('Subject (sub)').fill('bob');
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByRole('heading', { name: 'What each policy says' }).waitFor();
    await page.getByText('objects_read', { exact: true }).click();
    return page;
  },
};

async function pageOfService(place: string, title: string): Promise<Page> {
  const page = await site.open('service', place);
  await page.getByRole('heading', { name: title, level: 1 }).waitFor();
  await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' });
  return page;
}

for (const [name, open] of Object.entries(states)) {
  test(`axe-core finds nothing wrong with ${name}`, { skip }, async () => {
    const page = await open();

    await assertAccessible(page);
  });
}

test('a control: axe-core finds a button without a name', { skip }, async () => {
  const page = await site.open('ann');
  await page.evaluate(`document.querySelector('main').append(document.createElement('button'))`);
  await page.evaluate(axe);

  const found = await violations(page, 'as it is');

  assert.match(found.join(), /button-name/);
});
