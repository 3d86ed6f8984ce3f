/**
 * The options of what looks at files: a scanner, a classifier, and handlers of the application's own. Without them such jobs
 * wait. Handlers are code of whoever operates this, and are loaded from a file that they name.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isEndpoint, type OwnKind, parseScannerAddress, type WorkerConfig } from '@rowlock/server';
import type { Option, Settings } from './options.ts';
import { UsageError } from './usage-error.ts';

export const checkOptions: readonly Option[] = [
  {
    name: 'clamd',
    env: ['CLAMD'],
    type: 'text',
    help: 'the clamd that files are scanned by: /run/clamav/clamd.ctl, or host:3310',
  },
  {
    name: 'clamd-bytes-max',
    env: ['CLAMD_BYTES_MAX'],
    type: 'integer',
    default: '104857600',
    min: 1,
    max: 4 * 2 ** 30,
    help: 'largest file that is sent to it: at most its StreamMaxLength',
  },
  {
    name: 'clamd-timeout-ms',
    env: ['CLAMD_TIMEOUT_MS'],
    type: 'integer',
    default: '120000',
    min: 100,
    max: 3_600_000,
    help: 'how long it may be silent',
  },
  {
    name: 'classify-url',
    env: ['CLASSIFY_URL'],
    type: 'text',
    help: 'where files are POSTed to be classified',
  },
  {
    name: 'classify-sends',
    env: ['CLASSIFY_SENDS'],
    type: 'text',
    default: 'url',
    help: 'url for a URL that reads the file, bytes for the file itself',
  },
  {
    name: 'classify-secret',
    env: ['CLASSIFY_SECRET'],
    type: 'text',
    secret: true,
    help: 'what is sent to the classifier as a bearer token',
  },
  {
    name: 'handlers',
    env: ['HANDLERS'],
    type: 'text',
    help: "a module with kinds of jobs of the application's own",
  },
];

/** Who is asked what is in files. @throws UsageError for what is no address */
export function checkersOf(settings: Settings): Pick<WorkerConfig, 'scanner' | 'classifier'> {
  return { scanner: scannerOf(settings), classifier: classifierOf(settings) };
}

function scannerOf(settings: Settings): WorkerConfig['scanner'] {
  const text = settings.text('clamd');
  if (text === undefined || text === '') return undefined;
  const address = parseScannerAddress(text);
  if (address === undefined) {
    throw new UsageError(`CLAMD is a path such as /run/clamav/clamd.ctl, or host:3310, not "${text}"`);
  }
  return {
    address,
    bytesMax: settings.integer('clamd-bytes-max'),
    timeoutMs: settings.integer('clamd-timeout-ms'),
  };
}

function classifierOf(settings: Settings): WorkerConfig['classifier'] {
  const url = settings.text('classify-url');
  if (url === undefined || url === '') return undefined;
  if (!isEndpoint(url)) throw new UsageError('CLASSIFY_URL is an http or https URL without user and password');
  const sends = settings.required('classify-sends');
  if (sends !== 'url' && sends !== 'bytes') throw new UsageError(`CLASSIFY_SENDS is url or bytes, not "${sends}"`);
  return { url, sends, secret: settings.text('classify-secret') };
}

/**
 * The kinds that the module of HANDLERS exports as `kinds`, or as its default: one, or an array of them.
 *
 * @throws UsageError where it cannot be loaded, or exports none
 */
export async function ownKinds(settings: Settings): Promise<readonly OwnKind[]> {
  const path = settings.text('handlers');
  if (path === undefined || path === '') return [];
  const file = resolve(path);
  if (!existsSync(file)) throw new UsageError(`HANDLERS names a file that is not there: ${file}`);
  const module = await loaded(file);
  const found = module.kinds ?? module.default;
  const kinds = Array.isArray(found) ? found : [found];
  if (kinds.length === 0 || kinds.some((kind) => typeof kind !== 'object' || kind === null)) {
    throw new UsageError(`${file} exports no kinds: an array of { kind, perform }, as kinds or as its default`);
  }
  return kinds as readonly OwnKind[];
}

interface HandlersModule {
  readonly kinds?: unknown;
  readonly default?: unknown;
}

/** @throws UsageError with what is wrong in it, where it does not load */
async function loaded(file: string): Promise<HandlersModule> {
  try {
    return (await import(pathToFileURL(file).href)) as HandlersModule;
  } catch (error) {
    throw new UsageError(`HANDLERS names a module that does not load: ${file}: ${String(error)}`, { cause: error });
  }
}
