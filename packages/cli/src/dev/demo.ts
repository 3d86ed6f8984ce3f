/** The sample photo of the first start: uploaded through the real path, like anybody's. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Remote } from '../remote.ts';

export const demoPhoto: string = fileURLToPath(new URL('../../assets/sample.jpg', import.meta.url));
const bucket = 'demo';
const name = 'welcome.jpg';
const thumbnailTimeoutMs = 30_000;

/** Creates the bucket and uploads the photo. */
export async function uploadDemo(remote: Remote): Promise<void> {
  await remote.json('/storage/v1/bucket', 'POST', { name: bucket }).catch((error: unknown) => {
    if (!(error instanceof Error) || !error.message.includes('409')) {
      throw error; // a bucket of that name is as good as a new one
    }
  });
  await remote.send(remote.objectUrl('object', bucket, name), {
    method: 'PUT',
    headers: { 'content-type': 'image/jpeg' },
    body: readFileSync(demoPhoto),
  });
}

/** Signed links of the photo and of its thumbnail, once that is there; undefined where the photo was deleted. */
export async function demoLinks(
  remote: Remote,
): Promise<{ readonly photo: string; readonly thumbnail: string } | undefined> {
  const sign = async (body: object): Promise<string> =>
    (await remote.json<{ url: string }>(remote.objectUrl('object/sign', bucket, name), 'POST', body)).url;
  try {
    const photo = await sign({ expiresIn: 86_400 });
    const thumbnail = await sign({ expiresIn: 86_400, transform: { preset: 'medium' } });
    const deadline = Date.now() + thumbnailTimeoutMs;
    while (!(await fetch(thumbnail, { method: 'HEAD' })).ok) {
      if (Date.now() > deadline) {
        throw new Error('the sample photo got no thumbnail in 30 s; see the log above');
      }
      await delay(50);
    }
    return { photo, thumbnail };
  } catch (error) {
    if (error instanceof Error && error.message.includes('404')) {
      return undefined;
    }
    throw error;
  }
}
