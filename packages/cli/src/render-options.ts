/** The options of rendering pictures on demand: how many at once, and which sizes there are. What a picture may cost is not here. */
import type { ServerConfig } from '@rowlock/server';
import type { Option, Settings } from './options.ts';
import { UsageError } from './usage-error.ts';

const sideMax = 2000;
const sizesMax = 32;

export const renderOptions: readonly Option[] = [
  {
    name: 'renders-at-once',
    env: ['RENDERS_AT_ONCE'],
    type: 'integer',
    default: '2',
    min: 1,
    max: 256,
    help: 'pictures that one process of the API renders at once, each in a process of its own',
  },
  {
    name: 'renders-waiting-max',
    env: ['RENDERS_WAITING_MAX'],
    type: 'integer',
    default: '64',
    min: 0,
    max: 10_000,
    help: 'pictures that wait for their turn; more are answered 503',
  },
  {
    name: 'render-sizes',
    env: ['RENDER_SIZES'],
    type: 'list',
    default: '64,128,256,384,640,828,1080,1920',
    help: 'widths and heights that pictures come in, ascending; others are brought up to the next, but for signed URLs',
  },
];

/** What the server is configured with. @throws UsageError */
export function renderConfig(settings: Settings): NonNullable<ServerConfig['renders']> {
  const sizes = settings.list('render-sizes').map(Number);
  const isSize = (size: number, place: number): boolean =>
    Number.isInteger(size) && size >= 1 && size <= sideMax && size > (sizes[place - 1] ?? 0);
  if (sizes.length === 0 || sizes.length > sizesMax || !sizes.every(isSize)) {
    throw new UsageError(`render-sizes are up to ${sizesMax} whole numbers from 1 to ${sideMax}, ascending`);
  }
  return {
    at_once: settings.integer('renders-at-once'),
    waiting_max: settings.integer('renders-waiting-max'),
    sizes,
  };
}
