/**
 * Names of files inside a ZIP: what any program can unpack into the folder that it was told, and nowhere else. It
 * changes names of objects no more than that needs. Invariant: no name leaves the folder, and no two are the same.
 */

/** Separators and wildcards of Windows, where a backslash climbs like a slash and a colon names a drive or a stream. */
const foreign: RegExp = /[\\:*?"<>|]/g;
/** Windows drops these at the end of a segment, and what is left may climb. */
const droppedAtEnd: RegExp = /[. ]+$/;
const device: RegExp = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** Hands out names for one archive. */
export class ZipNames {
  readonly #taken: Set<string> = new Set();

  /** The name for an object; `besideFolder` says that a folder of the same name is there too. */
  take(name: string, besideFolder: boolean): string {
    const safe = name
      .split('/')
      .filter((segment) => segment !== '')
      .map(safeSegment)
      .join('/');
    const wanted = besideFolder ? `${safe} (file)` : safe;
    let free = wanted;
    for (let copy = 2; this.#taken.has(free); copy += 1) {
      free = numbered(wanted, copy);
    }
    this.#taken.add(free);
    return free;
  }
}

function safeSegment(segment: string): string {
  const safe = segment.replace(foreign, '_').replace(droppedAtEnd, (end) => '_'.repeat(end.length));
  return device.test(safe) ? `_${safe}` : safe;
}

function numbered(name: string, copy: number): string {
  const dot = name.lastIndexOf('.');
  const cut = dot > name.lastIndexOf('/') + 1 ? dot : name.length;
  return `${name.slice(0, cut)} (${copy})${name.slice(cut)}`;
}
