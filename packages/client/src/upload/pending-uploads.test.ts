import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storedUploads, type TextStorage } from './pending-uploads.ts';

function storageOf(entries: Readonly<Record<string, string>>): TextStorage & { readonly texts: Map<string, string> } {
  const texts = new Map(Object.entries(entries));
  return {
    texts,
    get length() {
      return texts.size;
    },
    key: (place: number) => [...texts.keys()][place] ?? null,
    getItem: (name: string) => texts.get(name) ?? null,
    setItem: (name: string, text: string) => texts.set(name, text),
    removeItem: (name: string) => texts.delete(name),
  };
}

test('an upload is found again by its key until it is deleted', async () => {
  const uploads = storedUploads(storageOf({}));
  const upload = { uploadId: 'u', begunAt: Date.now() };

  await uploads.set('a', upload);
  const [found, other] = [await uploads.get('a'), await uploads.get('b')];
  await uploads.delete('a');

  assert.deepEqual([found, other, await uploads.get('a')], [upload, undefined, undefined]);
});

test('what is older than a week goes, what is not ours stays, and what cannot be read is nothing', async () => {
  const old = JSON.stringify({ uploadId: 'old', begunAt: Date.now() - 8 * 86_400_000 });
  const storage = storageOf({ 'rowlock.upload.old': old, 'rowlock.upload.torn': '{"uploadId"', theirs: old });
  const uploads = storedUploads(storage);

  await uploads.set('new', { uploadId: 'new', begunAt: Date.now() });

  assert.deepEqual([await uploads.get('old'), await uploads.get('torn')], [undefined, undefined]);
  assert.deepEqual([...storage.texts.keys()].sort(), ['rowlock.upload.new', 'rowlock.upload.torn', 'theirs']);
});
