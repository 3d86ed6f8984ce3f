/**
 * What a page loads of the client: bundled, minified and compressed as a site would do it. The numbers are printed, and bounded.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const folder = fileURLToPath(new URL('../../../packages/client/dist/', import.meta.url));

interface Bundle {
  /** Everything, with what is loaded later. */
  readonly all: Weight;
  /** What is loaded at once. */
  readonly first: Weight;
  readonly inputs: readonly string[];
}

interface Weight {
  readonly gzip: number;
  readonly brotli: number;
}

async function bundled(code: string, { splitting }: { readonly splitting: boolean }): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: folder },
    bundle: true,
    minify: true,
    splitting,
    format: 'esm',
    target: 'es2022',
    outdir: folder,
    write: false,
    metafile: true,
  });
  const later = new Set(
    Object.values(metafile.outputs).flatMap(({ imports }) =>
      imports.filter(({ kind }) => kind === 'dynamic-import').map(({ path }) => path.split('/').at(-1)),
    ),
  );
  const isFirst = ({ path }: { readonly path: string }): boolean => !later.has(path.split('/').at(-1));
  return {
    all: weightOf(outputFiles.map(({ contents }) => contents)),
    first: weightOf(outputFiles.filter(isFirst).map(({ contents }) => contents)),
    inputs: Object.keys(metafile.inputs),
  };
}

/** Each file is compressed by itself, as it is sent. */
function weightOf(files: readonly Uint8Array[]): Weight {
  const sum = (sizes: readonly number[]): number => sizes.reduce((all, size) => all + size, 0);
  return {
    gzip: sum(files.map((file) => gzipSync(file, { level: 9 }).length)),
    brotli: sum(files.map((file) => brotliCompressSync(file).length)),
  };
}

test('the whole client is at most 12 KiB compressed, what creates one much less, and its errors next to nothing', async (t) => {
  const [whole, creating, errors] = await Promise.all([
    bundled("export * from './index.js'", { splitting: false }),
    bundled("export { createClient } from './index.js'", { splitting: true }),
    bundled("export { isRowlockError } from './index.js'", { splitting: false }),
  ]);

  const kib = ({ gzip, brotli }: Weight): string => `${brotli} bytes (brotli), ${gzip} (gzip)`;
  t.diagnostic(`all of @rowlock/client: ${kib(whole.all)}`);
  t.diagnostic(`createClient: ${kib(creating.first)} at once, ${kib(creating.all)} with the first upload`);
  t.diagnostic(`isRowlockError: ${kib(errors.all)}`);
  assert.ok(whole.all.brotli <= 12_288, `${whole.all.brotli} bytes`);
  assert.ok(creating.first.brotli <= 7_424, `${creating.first.brotli} bytes`);
  assert.ok(errors.all.brotli <= 1_536, `${errors.all.brotli} bytes`);
});

test('the client bundles nothing but itself', async () => {
  const code = "export * from './index.js'; export * from './compat/rowlock-files.js'";

  const { inputs } = await bundled(code, { splitting: false });

  assert.deepEqual(
    inputs.filter((path) => path !== '<stdin>' && !/(^|\/)packages\/client\/dist\//.test(path)),
    [],
  );
});
