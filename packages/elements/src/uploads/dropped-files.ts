/** Files that were dropped or pasted, with the paths that they have inside a dropped folder. It reads no contents. */
export interface NamedFile {
  /** With slashes where it came out of a folder. */
  readonly name: string;
  readonly file: File;
}

/** Files that were chosen in a dialog; those of a chosen folder have their paths in it. */
export function chosenFiles(files: Iterable<File>): readonly NamedFile[] {
  return [...files].map((file) => ({ name: file.webkitRelativePath || file.name, file }));
}

/** Everything in a drop, folders with all that is below them. Must be called while the drop's event is handled. */
export async function droppedFiles(transfer: DataTransfer): Promise<readonly NamedFile[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) {
    return chosenFiles(transfer.files);
  }
  return (await Promise.all(entries.map((entry) => filesBelow(entry, '')))).flat();
}

/** Images in the clipboard are all called `image.png`; a paste is named after its moment. */
export function pastedFiles(transfer: DataTransfer, now: Date = new Date()): readonly NamedFile[] {
  const moment = now.toISOString().slice(0, 19).replace('T', ' ').replaceAll(':', '.');
  return [...transfer.files].map((file) => ({
    name: file.name === 'image.png' ? `pasted ${moment}.png` : file.name,
    file,
  }));
}

async function filesBelow(entry: FileSystemEntry, folder: string): Promise<readonly NamedFile[]> {
  const name = folder + entry.name;
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    return [{ name, file }];
  }
  const found: NamedFile[] = [];
  for (const child of isFolder(entry) ? await childrenOf(entry) : []) {
    found.push(...(await filesBelow(child, `${name}/`)));
  }
  return found;
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

/** A folder is read in pages, until one is empty. */
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<readonly FileSystemEntry[]> {
  const reader = folder.createReader();
  const children: FileSystemEntry[] = [];
  for (;;) {
    const page = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (page.length === 0) {
      return children;
    }
    children.push(...page);
  }
}
