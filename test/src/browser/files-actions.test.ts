/** What is done with files in the console, in Chromium: deleting and taking it back, versions, links, metadata, archives. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { requires, until } from '@rowlock/test-harness';
import { type ConsoleInChromium, type Page, startConsole } from './console-in-chromium.ts';

const skip = requires('chromium');
let site: ConsoleInChromium;

before(async () => {
  if (skip !== false) return;
  site = await startConsole({ workers: false });
});
after(() => site?.stop());

async function send(method: string, path: string, json: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return site.service.fetch(`/storage/v1/${path}`, { as: 'ann', method, headers, body: JSON.stringify(json) });
}

async function makeBucket(name: string, settings: Record<string, unknown> = {}): Promise<void> {
  assert.equal((await send('POST', 'bucket', { name, ...settings })).status, 201);
}

async function put(bucket: string, name: string, body: string | Buffer, type = 'text/plain'): Promise<void> {
  const path = `/storage/v1/object/${bucket}/${name.split('/').map(encodeURIComponent).join('/')}`;
  const bytes = new Uint8Array(Buffer.from(body));
  const headers = { 'content-type': type, 'x-upsert': 'true' };
  const answer = await site.service.fetch(path, { as: 'ann', method: 'POST', headers, body: bytes });
  assert.ok(answer.ok, `${name}: ${answer.status}`);
}

function read(bucket: string, name: string): Promise<Response> {
  return site.service.fetch(`/storage/v1/object/${bucket}/${name}`, { as: 'ann' });
}

async function choose(page: Page, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await page.getByRole('checkbox', { name: `Choose ${name}`, exact: true }).click();
  }
}

const fileButton = (page: Page, name: string): ReturnType<Page['locator']> =>
  page.getByRole('button', { name, exact: true });

test('files and folders that were chosen are deleted together, and are back after an undo by a key', {
  skip,
}, async () => {
  await makeBucket('kept', { soft_delete_seconds: 86_400 });
  await put('kept', 'a.txt', 'a');
  await put('kept', 'b.txt', 'b');
  await put('kept', 'folder/c.txt', 'c');
  const page = await site.open('ann', '#/kept/');
  await fileButton(page, 'a.txt').waitFor();

  await choose(page, 'a.txt', 'folder');
  await page.getByRole('toolbar').getByRole('button', { name: 'Delete' }).click();
  const question = await page.getByRole('dialog').innerText();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete 2 items' }).click();
  await fileButton(page, 'a.txt').waitFor({ state: 'detached' });
  const gone = [(await read('kept', 'a.txt')).status, (await read('kept', 'folder/c.txt')).status];
  await page.getByRole('button', { name: 'Undo' }).waitFor();
  await page.keyboard.press('Control+z');
  await fileButton(page, 'a.txt').waitFor();
  await page.getByRole('link', { name: 'folder' }).waitFor();

  assert.match(
    question,
    /1 file and 1 folder, with everything below, will be gone for everybody\..*it can be restored/,
  );
  assert.deepEqual(gone, [404, 404]);
  assert.equal(await (await read('kept', 'folder/c.txt')).text(), 'c');
});

test('a bucket that keeps nothing says so before, and what a list of deleted files names comes back', {
  skip,
}, async () => {
  await makeBucket('unkept');
  await put('unkept', 'gone.txt', 'x');
  const page = await site.open('ann', '#/unkept/');
  await fileButton(page, 'gone.txt').waitFor();

  await page.getByRole('button', { name: 'Delete gone.txt' }).click();
  await page.getByRole('dialog').getByText('This cannot be undone.').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Bucket settings' }).click();
  await page.getByLabel('Keeps of deleted').selectOption('Every version');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Keeps versions').waitFor();
  await page.getByRole('button', { name: 'Delete gone.txt' }).click();
  await page.getByText('No files yet').waitFor();
  await page.getByRole('button', { name: 'Deleted files' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Restore gone.txt' }).click();
  await page.getByRole('status').filter({ hasText: 'gone.txt is back.' }).waitFor();

  assert.equal(await (await read('unkept', 'gone.txt')).text(), 'x');
});

test('an older version is saved, and becomes current again', { skip }, async () => {
  await makeBucket('older-ones', { versioning: 'on' });
  await put('older-ones', 'note.txt', 'the first');
  await put('older-ones', 'note.txt', 'the second');
  const page = await site.open('ann', '#/older-ones/');

  await fileButton(page, 'note.txt').click();
  await page.getByRole('dialog').getByText('the second').waitFor();
  await page.getByRole('tab', { name: 'Versions' }).click();
  const older = page.getByRole('listitem').filter({ hasText: 'Older' });
  const downloading = page.waitForEvent('download');
  await older.getByRole('button', { name: /^Download the version/ }).click();
  const saved = await readFile(await (await downloading).path(), 'utf8');
  await older.getByRole('button', { name: /^Restore the version/ }).click();
  await page.getByRole('dialog').getByText('the first').waitFor();

  assert.equal(saved, 'the first');
  assert.equal(await (await read('older-ones', 'note.txt')).text(), 'the first');
});

test('a link with an end and a number of uses is made, listed, used and ended', { skip }, async () => {
  await makeBucket('linked');
  await put('linked', 'paper.txt', 'for you');
  const page = await site.open('ann', '#/linked/');

  await fileButton(page, 'paper.txt').click();
  await page.getByRole('tab', { name: 'Links' }).click();
  await page.getByLabel('Good for').selectOption('A day');
  await page.getByLabel('Uses').fill('3');
  await page.getByRole('button', { name: 'Make a link' }).click();
  const link = await page.getByLabel('Your link', { exact: true }).inputValue();
  const used = await fetch(link);
  await page.getByRole('tab', { name: 'Details' }).click();
  await page.getByRole('tab', { name: 'Links' }).click();
  await page.getByText('3 of 3 uses left').waitFor();
  await page.getByRole('button', { name: /^End the link until/ }).click();
  await page.getByText('None is listed.').waitFor();
  const ended = await fetch(link);

  assert.equal(await used.text(), 'for you');
  assert.equal(ended.status, 410);
});

test('metadata is changed field by field, and a type with the bytes', { skip }, async () => {
  await makeBucket('described', { versioning: 'on' });
  await put('described', 'data.txt', '{"a": 1}');
  const page = await site.open('ann', '#/described/');

  await fileButton(page, 'data.txt').click();
  await page.getByRole('tab', { name: 'Metadata' }).click();
  await page.getByRole('button', { name: 'Add a field' }).click();
  await page.getByLabel('Field', { exact: true }).fill('title');
  await page.getByLabel('Value of the field').fill('<b>one</b>');
  await page.getByRole('button', { name: 'Save metadata' }).click();
  await page.getByRole('status').filter({ hasText: 'The metadata is saved.' }).waitFor();
  await page.getByRole('tab', { name: 'Metadata' }).click();
  await page.getByLabel('Content type', { exact: true }).fill('application/json');
  await page.getByRole('button', { name: 'Change type' }).click();
  await page.getByRole('status').filter({ hasText: 'The file is application/json now.' }).waitFor();

  const path = '/storage/v1/object/info/described/data.txt';
  const info = (await (await site.service.fetch(path, { as: 'ann' })).json()) as Record<string, unknown>;
  assert.deepEqual(info['metadata'], { title: '<b>one</b>' });
  assert.equal(info['content_type'], 'application/json');
  assert.equal(await (await read('described', 'data.txt')).text(), '{"a": 1}');
});

test('files are moved to a folder and back, and copied to another bucket', { skip }, async () => {
  await makeBucket('from-here');
  await makeBucket('to-there');
  await put('from-here', 'one.txt', '1');
  await put('from-here', 'two.txt', '2');
  const page = await site.open('ann', '#/from-here/');
  await fileButton(page, 'one.txt').waitFor();

  await choose(page, 'one.txt', 'two.txt');
  await page.getByRole('toolbar').getByRole('button', { name: 'Move' }).click();
  await page.getByLabel('Folder', { exact: true }).fill('new/place');
  await page.getByRole('dialog').getByRole('button', { name: 'Move' }).click();
  await page.getByRole('link', { name: 'new' }).waitFor();
  const moved = (await read('from-here', 'new/place/two.txt')).status;
  await page.getByRole('button', { name: 'Undo' }).click();
  await fileButton(page, 'one.txt').waitFor();
  await choose(page, 'one.txt');
  await page.getByRole('toolbar').getByRole('button', { name: 'Copy', exact: true }).click();
  await page.getByLabel('Bucket', { exact: true }).selectOption('to-there');
  await page.getByLabel('Name', { exact: true }).fill('uno.txt');
  await page.getByRole('dialog').getByRole('button', { name: 'Copy', exact: true }).click();
  await page.getByRole('status').filter({ hasText: 'copied to to-there/' }).waitFor();

  assert.equal(moved, 200);
  assert.equal(await (await read('to-there', 'uno.txt')).text(), '1');
  assert.equal(await (await read('from-here', 'one.txt')).text(), '1');
});

async function moveTo(page: Page, name: string, folder: string): Promise<void> {
  await page.getByRole('link', { name, exact: true }).waitFor();
  await choose(page, name);
  await page.getByRole('toolbar').getByRole('button', { name: 'Move' }).click();
  await page.getByLabel('Folder', { exact: true }).fill(folder);
  await page.getByRole('dialog').getByRole('button', { name: 'Move' }).click();
  await page.getByRole('button', { name: 'Undo' }).waitFor();
}

async function undo(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('status').filter({ hasText: 'It is where it was.' }).waitFor();
}

async function namesIn(bucket: string): Promise<string[]> {
  const list = await send('POST', `object/list-v2/${bucket}`, { prefix: '', with_delimiter: false });
  return ((await list.json()) as { objects: { name: string }[] }).objects.map(({ name }) => name);
}

test('a folder that was moved among others comes back, and the others stay', { skip }, async () => {
  await makeBucket('folders');
  for (const name of ['mine/a.txt', 'mine/deep/b.txt', 'kept/mine/other.txt']) {
    await put('folders', name, name);
  }
  const page = await site.open('ann', '#/folders/');

  await moveTo(page, 'mine', 'kept');
  const moved = await namesIn('folders');
  await undo(page);

  assert.deepEqual(moved, ['kept/mine/a.txt', 'kept/mine/deep/b.txt', 'kept/mine/other.txt']);
  assert.deepEqual(await namesIn('folders'), ['kept/mine/other.txt', 'mine/a.txt', 'mine/deep/b.txt']);
});

test('what stays of a folder that is moved is said, and an undo leaves it alone', { skip }, async () => {
  await makeBucket('team', { policy: 'authenticated' });
  await put('team', 'both/ann.txt', 'ann');
  const headers = { 'content-type': 'text/plain' };
  await site.service.fetch('/storage/v1/object/team/both/bob.txt', { as: 'bob', method: 'POST', headers, body: 'bob' });
  const page = await site.open('bob', '#/team/');

  await moveTo(page, 'both', 'bobs');
  const said = await page.getByRole('group', { name: 'What was done' }).innerText();
  const moved = await namesIn('team');
  await undo(page);

  assert.match(said, /moved to team\/bobs\/\. 1 stayed: not yours to move\./);
  assert.deepEqual(moved, ['bobs/both/bob.txt', 'both/ann.txt']);
  assert.deepEqual(await namesIn('team'), ['both/ann.txt', 'both/bob.txt']);
});

test('an archive that breaks off says so, and can be asked for again', { skip }, async () => {
  await makeBucket('broken');
  await put('broken', 'folder/a.txt', 'a');
  const page = await site.open('ann', '#/broken/');
  await page.evaluate(`(() => {
    delete window.showSaveFilePicker;
    delete Window.prototype.showSaveFilePicker;
    const ask = window.fetch;
    window.fetch = async (input, init) => {
      if (!String(input).includes('/object/zip/')) return ask(input, init);
      return new Response(new ReadableStream({ pull: (stream) => stream.error(new TypeError('network error')) }));
    };
  })()`);

  await choose(page, 'folder');
  const zip = page.getByRole('toolbar').getByRole('button', { name: 'Download ZIP' });
  await zip.click();
  await page.getByRole('status').filter({ hasText: 'The archive broke off.' }).waitFor();

  assert.equal(await zip.isEnabled(), true);
});

test('what was chosen is downloaded as one archive, and told as commands', { skip }, async () => {
  await makeBucket('archive');
  for (const name of ['a.txt', 'b.txt', 'folder/c.txt']) {
    await put('archive', name, name);
  }
  const page = await site.open('ann', '#/archive/');
  // The dialog of the browser that asks where to write cannot be answered here.
  await page.evaluate('delete window.showSaveFilePicker; delete Window.prototype.showSaveFilePicker');
  await fileButton(page, 'a.txt').waitFor();

  await choose(page, 'b.txt', 'folder');
  const downloading = page.waitForEvent('download');
  await page.getByRole('toolbar').getByRole('button', { name: 'Download ZIP' }).click();
  const archive = (await readFile(await (await downloading).path())).toString('latin1');
  await page.getByRole('toolbar').getByRole('button', { name: 'Copy as' }).click();
  const curl = await page.getByLabel('The command').innerText();
  await page.getByLabel('As', { exact: true }).selectOption('SQL');
  const sql = await page.getByLabel('The command').innerText();

  assert.ok(archive.includes('folder/c.txt') && archive.includes('b.txt'));
  assert.ok(!archive.includes('a.txt'), 'what was not chosen is not in it');
  assert.ok(curl.includes("/storage/v1/object/archive/b.txt'") && curl.includes("/object/zip/archive/folder'"), curl);
  assert.ok(!curl.includes('eyJ'), 'no key is in it');
  assert.match(sql, /o\.bucket_id = 'archive' AND o\.name = 'b\.txt'/);
});

/** A second of silence: the shortest sound that a browser plays. */
function silence(): Buffer {
  const samples = Buffer.alloc(8000, 128);
  const head = Buffer.from('RIFF....WAVEfmt ....................data....', 'latin1');
  head.writeUInt32LE(36 + samples.length, 4);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(8000, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

test('sound is played and a text shown as a text, within the policy of the page', { skip }, async () => {
  await makeBucket('shown');
  await put('shown', 'sound.wav', silence(), 'audio/wav');
  await put('shown', 'page.html', '<h1 id="made">made</h1><script>document.title = "ran"</script>', 'text/html');
  const page = await site.open('ann', '#/shown/');
  const broken: string[] = [];
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) broken.push(message.text());
  });

  await fileButton(page, 'sound.wav').click();
  const seconds = await until(async () => {
    const found = await page.evaluate<number | null>("document.querySelector('dialog audio')?.duration ?? null");
    return found !== null && found > 0 ? found : undefined;
  });
  await page.keyboard.press('Escape');
  await fileButton(page, 'page.html').click();
  const text = page.getByLabel('The text', { exact: true });
  await text.getByText('<h1 id="made">').waitFor();
  const made = await page.locator('#made').count();

  assert.equal(seconds, 1);
  assert.equal(made, 0);
  assert.deepEqual(broken, []);
});
