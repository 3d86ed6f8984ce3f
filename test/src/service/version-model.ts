/**
 * The reference model of versions: what a bucket's names point at and pointed at before, in memory and as plainly as it
 * can be said. It asks nothing of the service. Invariant: entries of a name are in order, the newest last, and a delete
 * marker never stands over nothing.
 */

/** One immutable set of bytes, known by its text. */
export interface ModelVersion {
  readonly text: string;
  /** When it was written, on the model's clock. */
  readonly stored: number;
}

export interface ModelEntry {
  /** Undefined for a delete marker. */
  readonly version: ModelVersion | undefined;
  readonly object: number;
  /** Whether it goes when the time of soft deletion is over. */
  readonly expires: boolean;
}

interface ModelName {
  current: { version: ModelVersion; readonly object: number } | undefined;
  entries: ModelEntry[];
}

export type Versioning = 'off' | 'on' | 'suspended';
export type Answer = 'done' | 'missing' | 'taken';

/** A bucket. */
export class VersionModel {
  readonly names: ReadonlyMap<string, ModelName>;
  versioning: Versioning = 'off';
  soft = false;
  #versionedUntil = -1;
  #clock = 0;
  #objects = 0;

  constructor(names: readonly string[]) {
    this.names = new Map(names.map((name) => [name, { current: undefined, entries: [] }]));
  }

  at(name: string): ModelName {
    const found = this.names.get(name);
    if (found === undefined) throw new RangeError(`The model has no name ${name}`);
    return found;
  }

  /** Newest first: texts, and `-` for markers; the first is what the name has. */
  shape(name: string): readonly string[] {
    const { current, entries } = this.at(name);
    const older = entries.map(({ version }) => version?.text ?? '-').reverse();
    return current === undefined ? older : [current.version.text, ...older];
  }

  set(versioning: Versioning, soft: boolean): void {
    this.#clock += 1;
    if (this.versioning === 'on' && versioning !== 'on') this.#versionedUntil = this.#clock;
    this.versioning = versioning;
    this.soft = soft;
  }

  put(name: string, text: string): void {
    this.#clock += 1;
    const at = this.at(name);
    const version = { text, stored: this.#clock };
    if (at.current === undefined) {
      at.current = { version, object: this.#newObject() };
    } else {
      this.#keep(at, false);
      at.current.version = version;
    }
  }

  delete(name: string): Answer {
    const at = this.at(name);
    if (at.current === undefined) return 'missing';
    this.#end(at, false);
    return 'done';
  }

  move(from: string, to: string): Answer {
    const [source, target] = [this.at(from), this.at(to)];
    const { current } = source;
    if (current === undefined) return 'missing';
    if (target.current !== undefined) return 'taken';
    this.#end(source, true);
    target.current = { ...current };
    return 'done';
  }

  /** `text` undefined takes the last deletion back. */
  restore(name: string, text?: string): Answer {
    const at = this.at(name);
    const { current } = at;
    if (current !== undefined && current.version.text === text) return 'done';
    if (current !== undefined && text === undefined) return 'taken';
    const place = at.entries.findLastIndex(({ version }) =>
      text === undefined ? version !== undefined : version?.text === text,
    );
    const entry = at.entries[place];
    if (entry?.version === undefined) return 'missing';
    if (current === undefined) {
      at.current = { version: entry.version, object: this.#newObject() };
    } else {
      const isKept = this.versioning === 'on' || (this.soft && current.object === entry.object);
      if (!isKept) return 'taken';
      this.#keep(at, false);
      current.version = entry.version;
    }
    at.entries = at.entries.filter((each) => each !== entry);
    while (at.entries.length > 0 && at.entries.at(-1)?.version === undefined) at.entries.pop();
    return 'done';
  }

  /** `place` counts from the newest, as `shape` does. */
  purge(name: string, place: number): Answer {
    const at = this.at(name);
    const before = at.entries.length;
    const target =
      at.current === undefined ? at.entries.at(-1 - place) : place === 0 ? at.current : at.entries.at(-place);
    if (target === undefined || place > before || (at.current === undefined && place >= before)) return 'missing';
    const text = target.version?.text;
    let uncovers = text === undefined && target === at.entries.at(-1);
    if (text === undefined) {
      at.entries = at.entries.filter((each) => each !== target);
    } else {
      const wasCurrent = at.current?.version.text === text;
      if (wasCurrent) this.#end(at, false);
      uncovers ||= wasCurrent;
      at.entries = at.entries.filter(
        ({ version }, i) => version?.text !== text && !(i >= before && version === undefined),
      );
      clearMarkers(at);
    }
    const top = at.entries.at(-1)?.version;
    if (uncovers && at.current === undefined && top !== undefined) this.restore(name, top.text);
    return 'done';
  }

  /** The time of everything that was deleted softly is over. */
  expire(): void {
    for (const at of this.names.values()) {
      at.entries = at.entries.filter(({ expires }) => !expires);
      clearMarkers(at);
    }
  }

  /** What the name has stops being there: kept or not, and marked where older versions stay. */
  #end(at: ModelName, livesOn: boolean): void {
    const { current } = at;
    if (current === undefined) return;
    this.#keep(at, livesOn);
    at.current = undefined;
    if (at.entries.some(({ version }) => version !== undefined)) {
      at.entries.push({ version: undefined, object: current.object, expires: this.versioning === 'off' && this.soft });
    }
  }

  #keep(at: ModelName, livesOn: boolean): void {
    if (at.current === undefined) return;
    const { version, object } = at.current;
    const isVersioned =
      this.versioning === 'on' || (this.versioning === 'suspended' && version.stored <= this.#versionedUntil);
    if (isVersioned || (this.soft && !livesOn)) at.entries.push({ version, object, expires: !isVersioned });
  }

  #newObject(): number {
    this.#objects += 1;
    return this.#objects;
  }
}

function clearMarkers(at: ModelName): void {
  if (at.entries.every(({ version }) => version === undefined)) at.entries = [];
}
