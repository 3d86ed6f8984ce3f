/**
 * Signed URLs and signed uploads in the model: given, used, counted, revoked. Invariant: a URL opens the object that it
 * was signed for and no other that takes the name later.
 */

import type { Place } from './relocations.ts';
import { idOf, mayMove } from './rights.ts';
import { entriesSeen } from './versions.ts';
import { type Link, objectAt, Refused, refuseIf, type Ticket, type Who, type World } from './world.ts';
import { askUpload, seen } from './writes.ts';

export interface Signing {
  readonly id: number;
  readonly who: Who;
  readonly at: Place;
  /** The text of a version to bind to; null for whatever is current. */
  readonly text: string | null;
  readonly uses: number | null;
}

export function sign(world: World, { id, who, at, text, uses }: Signing): void {
  const item = seen(world, who, at.bucket, at.name);
  if (item === undefined) throw new Refused('object_not_found');
  const isKept =
    text === null ||
    item.version.text === text ||
    entriesSeen(world, who, at).some((each) => each.object === item.id && each.version?.text === text);
  refuseIf(!isKept, 'object_not_found');
  world.links.push({ id, object: item.id, ...at, text, issuer: who, uses_left: uses, is_revoked: false });
}

/** Opens a URL; answers the text that it serves. */
export function open(world: World, id: number): string {
  const link = world.links.find((each) => each.id === id);
  if (link === undefined) throw new Refused('object_not_found');
  const item = objectAt(world, link.bucket, link.name);
  const text = item?.id === link.object ? servedText(world, link) : undefined;
  if (text === undefined) throw new Refused('object_not_found');
  refuseIf(link.is_revoked, 'url_revoked');
  if (link.uses_left === null) return text;
  refuseIf(link.uses_left === 0, 'url_used_up');
  link.uses_left -= 1;
  return text;
}

function servedText(world: World, { bucket, name, object, text }: Link): string | undefined {
  const current = objectAt(world, bucket, name)?.version.text;
  if (text === null || text === current) return current;
  const isKept = world.entries.some((each) => each.object === object && each.version?.text === text);
  return isKept ? text : undefined;
}

/** One's own URL, by its id; the service revokes everybody's. */
export function revokeLink(world: World, who: Who, id: number): void {
  const link = world.links.find((each) => each.id === id);
  refuseIf(who === 'anon' || (link?.issuer !== who && who !== 'service'), 'not_allowed');
  if (link !== undefined) link.is_revoked = true;
}

export function revokeIssuer(world: World, who: Who): void {
  refuseIf(who === 'anon', 'not_allowed');
  for (const link of world.links) link.is_revoked ||= link.issuer === who;
}

/** Every URL of an object: for its owner, for that of its bucket, and for the service. */
export function revokeObject(world: World, who: Who, at: Place): void {
  const item = seen(world, who, at.bucket, at.name);
  if (item === undefined) throw new Refused('object_not_found');
  refuseIf(!mayMove(world, who, item), 'not_allowed');
  for (const link of world.links) link.is_revoked ||= link.object === item.id;
}

/** The counted URLs that somebody sees on the list: their own, and those of objects that are theirs. */
export const listedLinks = (world: World, who: Who): readonly Link[] =>
  world.links.filter((link) => {
    const item = world.objects.find(({ id }) => id === link.object);
    const owns = item !== undefined && idOf(who) !== null && mayMove(world, who, item) && seenItem(world, who, item);
    return link.uses_left !== null && !link.is_revoked && (who === 'service' || link.issuer === who || owns);
  });

const seenItem = (world: World, who: Who, { bucket, name }: Place): boolean =>
  seen(world, who, bucket, name) !== undefined;

export function signUpload(world: World, who: Who, at: Place, given: Pick<Ticket, 'id' | 'overwrite'>): void {
  const nothing = { cache_control: null, user_metadata: null, if_match: null, is_free: false, text: null, type: '' };
  askUpload(world, { who, ...at, ...nothing, overwrite: given.overwrite }, false);
  world.tickets.push({ id: given.id, request: { who, ...at }, overwrite: given.overwrite });
}
