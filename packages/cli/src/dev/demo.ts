/** The sample photo of the first start: uploaded through the real path, like anybody's. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isRowlockError, type StorageClient } from '@rowlock/client';

export const demoPhoto: string = fileURLToPath(new URL('../../assets/sample.jpg', import.meta.url));
const bucket = 'demo';
const name = 'welcome.jpg';
const thumbnailTimeoutMs = 30_000;
const linkSeconds = 86_400;

/** Creates the bucket and uploads the photo. */
export async function uploadDemo(client: StorageClient): Promise<void> {
  try {
    await client.createBucket({ name: bucket });
  } catch (error) {
    if (!isRowlockError(error, 'bucket_exists')) {
      throw error; // a bucket of that name is as good as a new one
    }
  }
  await client.put(bucket, name, readFileSync(demoPhoto), { contentType: 'image/jpeg', overwrite: true });
}

/** Signed links of the photo and of its thumbnail, once that is there; undefined where the photo was deleted. */
export async function demoLinks(
  client: StorageClient,
): Promise<{ readonly photo: string; readonly thumbnail: string } | undefined> {
  try {
    const photo = await client.sign(bucket, name, { expirySeconds: linkSeconds });
    const thumbnail = await client.sign(bucket, name, { expirySeconds: linkSeconds, preset: 'medium' });
    const deadline = Date.now() + thumbnailTimeoutMs;
    while ((await fetch(thumbnail.url, { method: 'HEAD' })).status !== 200) {
      if (Date.now() > deadline) {
        throw new Error('the sample photo got no thumbnail in 30 s');
      }
      await delay(50);
    }
    return { photo: photo.url, thumbnail: thumbnail.url };
  } catch (error) {
    if (isRowlockError(error, 'object_not_found', 'bucket_not_found', 'variant_not_found')) {
      return undefined;
    }
    throw error;
  }
}
