/** The lines of an inventory's files, one after the other, unpacked where a name ends in `.gz`. Memory holds one line. */
import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** A key has a kilobyte, three times that when it is encoded; the other columns are short. */
const lineMax = 65_536;

/** @throws Error of the file that cannot be read or unpacked, or is no text, with its name */
export async function* inventoryLines(files: readonly string[]): AsyncGenerator<string, void> {
  for (const file of files) {
    try {
      yield* linesOf(open(file));
    } catch (error) {
      throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
}

function open(file: string): Readable {
  const bytes = createReadStream(file);
  // A failure of either ends the other, and is raised where the text is read.
  return file.endsWith('.gz') ? pipeline(bytes, createGunzip(), () => undefined) : bytes;
}

async function* linesOf(text: Readable): AsyncGenerator<string, void> {
  let rest = '';
  for await (const chunk of text.setEncoding('utf8')) {
    const lines = (rest + String(chunk)).split(/\r?\n/);
    rest = lines.pop() ?? '';
    if (rest.length > lineMax) throw new Error(`a line has more than ${lineMax} characters`);
    yield* lines;
  }
  yield rest;
}
