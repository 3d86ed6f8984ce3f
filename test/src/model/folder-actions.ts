/** Whole folders as actions, over HTTP and in SQL: each is one statement, done wholly or not at all. */
import type { Action } from './action.ts';
import type { Door } from './object-actions.ts';
import { copyFolder, deleteFolder, type FolderRelocation, moveFolder } from './relocations.ts';
import type { ModelSite } from './site.ts';
import { asHttp } from './spelling.ts';
import { refuseIf, type Who, type World } from './world.ts';

const label = (verb: string, { who, from, to }: FolderRelocation, door: Door): string =>
  `${who} ${verb} ${from.bucket}/${from.prefix}… to ${to.bucket}/${to.prefix}… over ${door}`;

const folderBody = (site: ModelSite, { from, to }: FolderRelocation): object => ({
  bucketId: site.bucket(from.bucket),
  sourcePrefix: from.prefix,
  destinationBucket: site.bucket(to.bucket),
  destinationPrefix: to.prefix,
});

const folderValues = (site: ModelSite, { from, to }: FolderRelocation): unknown[] => [
  site.bucket(from.bucket),
  from.prefix,
  site.bucket(to.bucket),
  to.prefix,
];

export function moveFolderAction(request: FolderRelocation, door: Door): Action {
  const { who, from } = request;
  return {
    label: label('moves', request, door),
    apply: (world) =>
      door === 'sql'
        ? movedWord(moveFolder(world, request))
        : asHttp(world, { who, bucket: from.bucket }, () => {
            const counts = moveFolder(world, request);
            refuseIf(counts.seen === 0, 'object_not_found');
            refuseIf(counts.moved === 0, 'not_allowed');
            return movedWord(counts);
          }),
    async perform(site) {
      if (door === 'sql') {
        const text = 'SELECT moved, withheld FROM storage.move_prefix($1, $2, $3, $4)';
        const { word, rows } = await site.sql(who, [text, folderValues(site, request)]);
        return word === 'done'
          ? `${rows[0]?.['moved']} of ${Number(rows[0]?.['moved']) + Number(rows[0]?.['withheld'])}`
          : word;
      }
      const answer = await site.post(who, '/object/move-prefix', folderBody(site, request));
      if (answer.word !== 'done') return answer.word;
      const { moved, withheld } = JSON.parse(answer.text) as { readonly moved: number; readonly withheld: number };
      return `${moved} of ${moved + withheld}`;
    },
  };
}

const movedWord = (counts: { readonly moved: number; readonly seen: number }): string =>
  `${counts.moved} of ${counts.seen}`;

export function copyFolderAction(request: FolderRelocation, door: Door): Action {
  const { who, from } = request;
  return {
    label: label('copies', request, door),
    apply(world) {
      if (door === 'sql') return `${copyFolder(world, request)}`;
      return asHttp(world, { who, bucket: from.bucket }, () => {
        const copied = copyFolder(world, request);
        refuseIf(copied === 0, 'object_not_found');
        return `${copied}`;
      });
    },
    async perform(site) {
      if (door === 'sql') {
        const text = 'SELECT storage.copy_prefix($1, $2, $3, $4) AS copied';
        const { word, rows } = await site.sql(who, [text, folderValues(site, request)]);
        return word === 'done' ? `${rows[0]?.['copied']}` : word;
      }
      const answer = await site.post(who, '/object/copy-prefix', folderBody(site, request));
      return answer.word === 'done' ? `${(JSON.parse(answer.text) as { copied: number }).copied}` : answer.word;
    },
  };
}

export function deleteFolderAction(who: Who, bucket: string, prefix: string): Action {
  return {
    label: `${who} deletes ${bucket}/${prefix}…`,
    apply: (world) => JSON.stringify(deleteFolderAsked(world, who, bucket, prefix)),
    async perform(site) {
      const answer = await site.post(who, '/object/delete-prefix', { bucketId: site.bucket(bucket), prefix });
      if (answer.word !== 'done') return answer.word;
      const { deleted, withheld } = JSON.parse(answer.text) as { deleted: number; withheld: number };
      return JSON.stringify({ deleted, withheld });
    },
  };
}

function deleteFolderAsked(world: World, who: Who, bucket: string, prefix: string): object {
  refuseIf(prefix === '', 'invalid_request');
  refuseIf(who === 'anon', 'auth_required');
  return deleteFolder(world, who, bucket, prefix);
}
