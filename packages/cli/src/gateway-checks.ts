/**
 * Whether the gateway's cookie can reach it: a browser sends it between pages and hosts of one site, over TLS, and keeps quiet
 * where that is not so. It looks at settings only.
 */
import { type Finding, finding } from './finding.ts';
import { gatewayConfig } from './gateway-options.ts';
import type { Settings } from './options.ts';

const loopback: RegExp = /^(?:localhost|(?:[a-z0-9-]+\.)+localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Judges the origins that may sign in at the gateway; nothing where it is off. */
export function checkGateway(settings: Settings): readonly Finding[] {
  const gateway = gatewayConfig(settings);
  if (gateway === undefined) return [];
  const { origins, hostname } = gateway;
  const publicUrl = settings.text('public-url') ?? '';
  const found = origins.flatMap((origin) => checkOrigin(origin, hostname));
  if (origins.length === 0) {
    found.push(warning('no page may begin a session', 'list the origins of your applications in GATEWAY_ORIGINS'));
  }
  if (hostname !== undefined && URL.canParse(publicUrl) && new URL(publicUrl).hostname === hostname) {
    found.push(failure(`${hostname} is the host of PUBLIC_URL too`, 'give the gateway a host name of its own'));
  }
  return found.length > 0 ? found : [finding('gateway', 'ok', `sessions for ${origins.join(', ')}`)];
}

function checkOrigin(origin: string, hostname: string | undefined): Finding[] {
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.origin !== origin) {
    return [failure(`no browser sends the origin "${origin}"`, 'write it as https://app.example.com, without a slash')];
  }
  if (loopback.test(url.hostname)) {
    return [];
  }
  if (url.protocol === 'http:') {
    return [
      warning(`${origin} is another site than any https host: browsers send no cookie`, 'put TLS in front of it'),
    ];
  }
  if (url.hostname === hostname) {
    return [
      failure(`${origin} is the gateway itself: its files would run as the application`, 'use another host name'),
    ];
  }
  if (hostname !== undefined && endOf(url.hostname) !== endOf(hostname)) {
    const fix = `serve both below one domain, such as files.${endOf(url.hostname)}`;
    return [warning(`${origin} and ${hostname} are two sites: browsers send no cookie`, fix)];
  }
  return [];
}

/** The last two labels: hosts of one site share them, whatever the list of public suffixes says. */
function endOf(host: string): string {
  return host.split('.').slice(-2).join('.');
}

function failure(says: string, fix: string): Finding {
  return finding('gateway', 'fail', says, fix);
}

/** Nothing is unsafe about it: a token works all the same. */
function warning(says: string, fix: string): Finding {
  return finding('gateway', 'warn', says, fix);
}
