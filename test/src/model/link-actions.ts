/**
 * Signed URLs as actions: signed with terms, opened by whoever holds them, revoked one by one and many at once. What they
 * may open is the model's to say.
 */
import type { Action } from './action.ts';
import { open, revokeIssuer, revokeLink, revokeObject, type Signing, sign } from './links.ts';
import { lost } from './lost.ts';
import type { Door } from './object-actions.ts';
import type { Place } from './relocations.ts';
import { asHttp } from './spelling.ts';
import { Refused, type Who } from './world.ts';

export function signAction(signing: Signing): Action {
  const { id, who, at, text, uses } = signing;
  const terms = [...(text === null ? [] : [`for ${text}`]), ...(uses === null ? [] : [`for ${uses} uses`])].join(' ');
  return {
    label: `${who} signs URL ${id} of ${at.bucket}/${at.name} ${terms}`,
    apply(world) {
      asHttp(world, { who, bucket: at.bucket }, () => sign(world, signing));
      return 'done';
    },
    async perform(site) {
      const body = {
        ...(text === null ? {} : { version_id: await site.versionOf(text) }),
        ...(uses === null ? {} : { max_uses: uses }),
      };
      const answer = await site.post(who, `/object/sign/${site.pathOf(at.bucket, at.name)}`, body);
      if (answer.word === 'done') site.links.set(id, JSON.parse(answer.text) as { id: string; url: string });
      return answer.word;
    },
    // A URL whose answer was lost is nobody's.
    unanswered: (before) => [before],
  };
}

export const openAction = (id: number): Action => ({
  label: `somebody opens URL ${id}`,
  apply: (world) => open(world, id),
  async perform(site) {
    const link = site.links.get(id);
    if (link === undefined) return 'object_not_found';
    try {
      const response = await fetch(link.url);
      const text = await response.text();
      if (response.status >= 500) return lost;
      return response.ok ? text : (response.headers.get('x-rowlock-reason') ?? `${response.status}`);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // what fetch raises when a connection ends
      return lost;
    }
  },
});

/** Over HTTP who has no token is told to bring one. */
function spelledFor(who: Who, door: Door, work: () => void): string {
  try {
    work();
    return 'done';
  } catch (error) {
    if (error instanceof Refused && door === 'http' && who === 'anon') throw new Refused('auth_required');
    throw error;
  }
}

export const revokeLinkAction = (who: Who, id: number, door: Door): Action => ({
  label: `${who} revokes URL ${id} over ${door}`,
  apply: (world) => spelledFor(who, door, () => revokeLink(world, who, id)),
  async perform(site) {
    const url = site.links.get(id)?.id ?? 'A'.repeat(32);
    if (door === 'http') return (await site.post(who, '/signed-urls/revoke', { id: url })).word;
    return (await site.sql(who, ["SELECT storage.revoke_signed_urls('id', $1)", [url]])).word;
  },
});

export const revokeIssuerAction = (who: Who, door: Door): Action => ({
  label: `${who} revokes all that they signed over ${door}`,
  apply: (world) => spelledFor(who, door, () => revokeIssuer(world, who)),
  async perform(site) {
    if (door === 'http') return (await site.post(who, '/signed-urls/revoke', { issuer: 'me' })).word;
    return (await site.sql(who, ["SELECT storage.revoke_signed_urls('issuer')", []])).word;
  },
});

export const revokeObjectAction = (who: Who, at: Place): Action => ({
  label: `${who} revokes the URLs of ${at.bucket}/${at.name}`,
  apply(world) {
    asHttp(world, { who, bucket: at.bucket }, () => revokeObject(world, who, at));
    return 'done';
  },
  async perform(site) {
    return (await site.send(who, `/object/sign/${site.pathOf(at.bucket, at.name)}`, { method: 'DELETE' })).word;
  },
});
