/**
 * The least that a durable upload costs, as a process of its own: write, fsync, rename, fsync of the folder, many at
 * once, without HTTP, hashing or a database. Arguments: folder, bytes of a file, how many at once, seconds.
 */
import { mkdirSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';

const [folder = '', bytesText = '', concurrencyText = '', secondsText = ''] = process.argv.slice(2);
const body = Buffer.alloc(Number(bytesText), 7);
/** As many folders as ours fans out to. */
const fanOut = 256;

async function prepare(): Promise<readonly FileHandle[]> {
  mkdirSync(join(folder, 'tmp'), { recursive: true });
  const folders: FileHandle[] = [];
  for (let at = 0; at < fanOut; at += 1) {
    mkdirSync(join(folder, String(at)), { recursive: true });
    folders.push(await open(join(folder, String(at))));
  }
  return folders;
}

async function writeDurably(n: number, folders: readonly FileHandle[]): Promise<void> {
  const temporary = join(folder, 'tmp', String(n));
  const file = await open(temporary, 'wx');
  await file.writeFile(body);
  await file.sync();
  await file.close();
  await rename(temporary, join(folder, String(n % fanOut), String(n)));
  await folders[n % fanOut]?.sync();
}

const folders = await prepare();
const begin = performance.now();
const deadline = begin + Number(secondsText) * 1000;
let begun = 0;
await Promise.all(
  Array.from({ length: Number(concurrencyText) }, async () => {
    while (performance.now() < deadline) {
      begun += 1;
      await writeDurably(begun, folders);
    }
  }),
);
const seconds = (performance.now() - begin) / 1000;
for (const each of folders) await each.close();
process.stdout.write(JSON.stringify({ count: begun, seconds }));
