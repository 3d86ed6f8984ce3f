/** Reads a ZIP with another program's eyes: names as they stand in it, bytes with their checksums compared. */
import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { fromBufferPromise } from 'yauzl';

/** The files of an archive by name. @throws what yauzl finds wrong, names that climb among it */
export async function unzipped(archive: Buffer): Promise<Map<string, Buffer>> {
  const zip = await fromBufferPromise(archive, { strictFileNames: true, autoClose: false });
  const files = new Map<string, Buffer>();
  for await (const entry of zip.eachEntry()) {
    const bytes = await buffer(await zip.openReadStreamPromise(entry));
    assert.equal(crc32(bytes), entry.crc32, `the checksum of ${entry.fileName}`);
    assert.ok(!files.has(entry.fileName), `${entry.fileName} is there once`);
    // Bit 11: the name is UTF-8.
    assert.ok((entry.generalPurposeBitFlag & 0x800) !== 0, `the name of ${entry.fileName} says that it is UTF-8`);
    files.set(entry.fileName, bytes);
  }
  zip.close();
  return files;
}
