/**
 * Refuses Node versions that cannot run Rowlock, in words instead of a syntax
 * error. It is therefore written in syntax that very old versions parse, and so
 * is every file that imports it; they import the rest when the check is over.
 */
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    'Rowlock needs Node.js 20.19 or newer, and this is ' +
      process.versions.node +
      '. Install a current version from https://nodejs.org and try again.',
  );
  process.exit(1);
}

/** Ends the process with an error that a tool did not expect. */
export function fail(error) {
  console.error(error);
  process.exit(1);
}
