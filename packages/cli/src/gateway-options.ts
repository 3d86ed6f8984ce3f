/** The options of the gateway, which serves files to pages that cannot send a token. It is off until it has a port or a host name. */
import type { ServerConfig } from '@rowlock/server';
import type { Option, Settings } from './options.ts';

export const gatewayOptions: readonly Option[] = [
  {
    name: 'gateway-port',
    env: ['GATEWAY_PORT'],
    type: 'integer',
    min: 1,
    max: 65_535,
    help: 'port of the gateway that serves files by a cookie: a listener of its own',
  },
  {
    name: 'gateway-host',
    env: ['GATEWAY_HOST'],
    type: 'text',
    help: 'address that it listens on; HOST when not set',
  },
  {
    name: 'gateway-hostname',
    env: ['GATEWAY_HOSTNAME'],
    type: 'text',
    help: 'the host name that the gateway answers to; on PORT where GATEWAY_PORT is not set',
  },
  {
    name: 'gateway-origins',
    env: ['GATEWAY_ORIGINS'],
    type: 'list',
    default: '',
    help: 'origins whose pages may begin sessions at the gateway',
  },
];

/** What the server is configured with; undefined where the gateway is off. */
export function gatewayConfig(settings: Settings): ServerConfig['gateway'] {
  const hostname = settings.text('gateway-hostname') || undefined;
  const port = settings.text('gateway-port') === undefined ? undefined : settings.integer('gateway-port');
  if (hostname === undefined && port === undefined) return undefined;
  return {
    origins: settings.list('gateway-origins'),
    hostname,
    port,
    host: settings.text('gateway-host') || undefined,
  };
}
