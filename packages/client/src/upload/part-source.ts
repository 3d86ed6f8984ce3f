/** A file as uploads read it, whatever it is. Invariant: nothing is read before it is needed. */

/** A file that is read piece by piece. */
export interface PartSource {
  readonly size: number;
  /** The bytes from `start` to before `end`, exactly. */
  read(start: number, end: number): Promise<Blob | Uint8Array<ArrayBuffer>>;
  /** The same as one body, where there is one that is not read before it is sent. */
  readonly body?: Blob | Uint8Array<ArrayBuffer> | undefined;
}

/** Makes a source of a file, a blob or bytes, which are read as they are needed. */
export function sourceOf(file: Blob | PartSource | Uint8Array<ArrayBuffer>): PartSource {
  if ('read' in file) return file;
  return file instanceof Uint8Array
    ? { size: file.length, read: async (start, end) => file.subarray(start, end), body: file }
    : { size: file.size, read: async (start, end) => file.slice(start, end), body: file };
}
