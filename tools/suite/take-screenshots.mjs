/**
 * Pictures of the console for documents: the real service with photos, workers and thumbnails, in Chromium, wide and
 * narrow, light and dark. It asserts nothing; whoever takes them looks at them.
 */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setup } from '../setup/setup.mjs';
import { root } from '../setup/workspace.mjs';
import { provideDatabase } from './test-database.mjs';

const folder = join(root, 'docs', 'images');
const sizes = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
];
const bytesMax = 200_000;

/** Takes all pictures, or those whose names contain one of the words. */
export async function takeScreenshots(words) {
  await setup();
  const stopDatabase = await provideDatabase();
  const { startConsole } = await import(join(root, 'test', 'dist', 'browser', 'console-in-chromium.js'));
  const { default: sharp } = await import('sharp');
  const site = await startConsole();
  try {
    await fill(site, sharp);
    const wanted = Object.entries(scenes).filter(([name]) => words.length === 0 || words.some((w) => name.includes(w)));
    mkdirSync(folder, { recursive: true });
    for (const [name, open] of wanted) {
      for (const size of sizes) await takeScene(site, sharp, { name, open, size });
    }
  } finally {
    await site.stop();
    await stopDatabase();
  }
}

/** One scene, light and dark. */
async function takeScene(site, sharp, { name, open, size }) {
  const page = await open(site, size);
  await page.locator('#status.shown').waitFor({ state: 'detached' });
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const picture = await sharp(await page.screenshot())
      .png({ palette: true, quality: 92, effort: 10 })
      .toBuffer();
    const path = join(folder, `${name}-${size.width}-${colorScheme}.png`);
    writeFileSync(path, picture);
    const { size: bytes } = statSync(path);
    console.log(`${path}: ${bytes} bytes${bytes > bytesMax ? ', which is too large' : ''}`);
  }
  await page.context().close();
}

/** Photos that differ: parts and tints of the sample. */
async function photos(sharp) {
  const sample = readFileSync(join(root, 'packages', 'cli', 'assets', 'sample.jpg'));
  const { width = 0, height = 0 } = await sharp(sample).metadata();
  const tints = ['', '#f2c879', '#7fb3d5', '#d98880', '#82c8a0', '#b39ddb'];
  return Promise.all(
    tints.map((tint, index) => {
      const share = 1 - index * 0.08;
      const region = {
        left: Math.floor((width * (1 - share)) / 2),
        top: Math.floor((height * (1 - share)) / 2),
        width: Math.floor(width * share),
        height: Math.floor(height * share),
      };
      const part = sharp(sample).keepMetadata().extract(region);
      return (tint === '' ? part : part.tint(tint)).jpeg({ quality: 85 }).toBuffer();
    }),
  );
}

/** Buckets and files of somebody who was on holiday. */
async function fill({ service }, sharp) {
  const as = 'ann';
  const post = async (path, type, body) => {
    const answer = await service.fetch(`/storage/v1/${path}`, {
      as,
      method: 'POST',
      headers: { 'content-type': type },
      body,
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  };
  const bucket = (settings) => post('bucket', 'application/json', JSON.stringify(settings));
  await bucket({ name: 'holiday', versioning: 'on', quota_bytes: 50_000_000 });
  await bucket({ name: 'press', policy: 'public' });
  await bucket({ name: 'team', policy: 'authenticated' });
  const names = [
    'beach/day 1.jpg',
    'beach/day 2.jpg',
    'beach/harbour.jpg',
    'beach/old town.jpg',
    'beach/sunset.jpg',
    'cover.jpg',
  ];
  for (const [index, photo] of (await photos(sharp)).entries()) {
    await post(`object/holiday/${names[index].split('/').map(encodeURIComponent).join('/')}`, 'image/jpeg', photo);
  }
  await post('object/holiday/beach/hikes/route.txt', 'text/plain', 'From the harbour to the lighthouse and back.');
  await post('object/holiday/beach/notes.md', 'text/markdown', '# Beach\n\nLow tide at ten.\n');
  await post('object/team/minutes.txt', 'text/plain', 'Minutes.');
  const link = { expiresIn: 86_400, max_uses: 5 };
  await post('object/sign/holiday/beach/sunset.jpg', 'application/json', JSON.stringify(link));
  await thumbnailsMade(service, 6 * 3);
}

async function thumbnailsMade({ database }, count) {
  for (let turn = 0; turn < 300; turn += 1) {
    const [{ made }] = await database.query(
      "SELECT count(*)::int AS made FROM storage.variants WHERE preset IS NOT NULL AND status = 'completed'",
    );
    if (made >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('the thumbnails were not made in a minute');
}

async function opened(site, as, place, size) {
  const page = await site.open(as, '#/');
  await page.setViewportSize(size);
  await page.goto(site.url + place);
  return page;
}

/** Waits for an expression. Playwright's own wait evaluates it in the page, which the console's policy forbids. */
async function holds(page, expression) {
  for (let turn = 0; turn < 150; turn += 1) {
    if (await page.evaluate(expression)) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`after 30 s this does not hold: ${expression}`);
}

async function beach(site, size) {
  const page = await opened(site, 'ann', '#/holiday/beach/', size);
  await page.getByRole('button', { name: 'sunset.jpg', exact: true }).waitFor();
  await holds(
    page,
    `document.querySelectorAll('main img').length >= 5 &&
    [...document.querySelectorAll('main img')].every((image) => image.complete)`,
  );
  return page;
}

async function ofService(site, place, size) {
  const page = await opened(site, 'service', place, size);
  await page.locator('main h1').waitFor();
  await page.locator('main [aria-busy="true"]').first().waitFor({ state: 'detached' });
  return page;
}

/** What is shown, by the name of its picture. */
const scenes = {
  'sign-in': async (site, size) => {
    const page = await site.newPage();
    await page.setViewportSize(size);
    await page.goto(site.url);
    await page.getByLabel('Your key').waitFor();
    return page;
  },
  folder: beach,
  file: async (site, size) => {
    const page = await beach(site, size);
    await page.getByRole('button', { name: 'sunset.jpg', exact: true }).click();
    await page.getByRole('dialog').getByText('image/jpeg').first().waitFor();
    await holds(page, `[...document.querySelectorAll('dialog img')].every((image) => image.complete)`);
    return page;
  },
  uploads: async (site, size) => {
    const page = await beach(site, size);
    const files = ['a map', 'tickets', 'packing']
      .map((word) => `${word} ${size.width}.txt`)
      .map((name) => ({
        name,
        mimeType: 'text/plain',
        buffer: Buffer.from(name),
      }));
    await page.locator('input[type="file"]').first().setInputFiles(files);
    await page.getByRole('button', { name: `tickets ${size.width}.txt`, exact: true }).waitFor();
    return page;
  },
  jobs: (site, size) => ofService(site, '#jobs', size),
  access: async (site, size) => {
    const page = await ofService(site, '#access/holiday/beach/sunset.jpg', size);
    await page.getByLabel('Subject (sub)').fill('bob');
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByRole('heading', { name: 'What each policy says' }).waitFor();
    await page.locator('.access-sentence').scrollIntoViewIfNeeded();
    return page;
  },
  health: (site, size) => ofService(site, '#health', size),
};
