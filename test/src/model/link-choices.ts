/** What commands choose of signed URLs, of signed uploads and of reads. It does nothing. */
import fc from 'fast-check';
import { anyAsker, anyDoor, anywhere, atObject } from './arbitraries.ts';
import { anyBody, type Choice, given, pick, textAt, textOf } from './choice.ts';
import { openAction, revokeIssuerAction, revokeLinkAction, revokeObjectAction, signAction } from './link-actions.ts';
import { deletedAction, downloadAction, listAction, pagesAction, usageAction, versionsAction } from './read-actions.ts';
import { signUploadAction, useTicketAction } from './upload-actions.ts';
export const signs: fc.Arbitrary<Choice> = given(
  'sign',
  fc.record({ who: anyAsker, at: atObject, uses: fc.constantFrom(null, 1, 2), n: fc.nat(8) }),
  ({ who, at, uses, n }, worlds) => {
    const place = at(worlds.first);
    const text = n < 3 ? (textAt(worlds.first, place, n) ?? null) : null;
    return signAction({ id: worlds.next(), who: who(worlds.first, place), at: place, text, uses });
  },
);
export const linkUses: fc.Arbitrary<Choice> = given(
  'signed URL',
  fc.record({ who: anyAsker, at: atObject, n: fc.nat(20), what: fc.nat(8), door: anyDoor }),
  ({ who: asker, at, n, what, door }, { first }) => {
    const place = at(first);
    const who = asker(first, place);
    const link = pick(first.links, n);
    if (what === 0) return revokeObjectAction(who, place);
    if (what === 1) return revokeIssuerAction(who, door);
    if (link === undefined) return undefined;
    return what < 4 ? revokeLinkAction(what === 2 ? link.issuer : who, link.id, door) : openAction(link.id);
  },
);
export const tickets: fc.Arbitrary<Choice> = given(
  'signed upload',
  fc.record({
    who: anyAsker,
    at: anywhere,
    overwrite: fc.boolean(),
    n: fc.nat(20),
    isUse: fc.boolean(),
    body: anyBody,
  }),
  ({ who: asker, at, overwrite, n, isUse, body }, worlds) => {
    // Used ones are held as well, and are over.
    const ticket = pick([...worlds.signedUploads], n);
    if (!isUse || ticket === undefined) {
      const id = worlds.next();
      const place = at(worlds.first);
      const who = asker(worlds.first, place);
      worlds.signedUploads.push({ id, who, at: place, overwrite });
      return signUploadAction(who, place, { id, overwrite });
    }
    return useTicketAction(ticket, { ...body.metadata, text: textOf(worlds, body.size), type: body.type });
  },
);

export const reads: fc.Arbitrary<Choice> = given(
  'read',
  fc.record({ who: anyAsker, at: anywhere, what: fc.nat(5) }),
  ({ who: asker, at, what }, { first }) => {
    const place = at(first);
    const who = asker(first, place);
    const { bucket } = place;
    const action = [downloadAction, versionsAction][what]?.(who, place);
    if (action !== undefined) return action;
    if (what === 2) return listAction(who, bucket);
    if (what === 3) return pagesAction(who, bucket, 1);
    return what === 4 ? deletedAction(who, bucket) : usageAction(bucket);
  },
);
