/**
 * How a browser is signed in to the console of `rowlock dev`: by a link that works once, whose key ends the same day. Only
 * on this machine: where the service listens for others, nobody is signed in by a link.
 */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ServerConfig, SignInLinks } from '@rowlock/server';
import { type DevSecrets, devKey } from './dev-folder.ts';

const keyLifetime = '12h';

const claimsOf = {
  service: { role: 'service_role' },
  user: { role: 'authenticated', sub: 'demo-user' },
} as const;

const program = fileURLToPath(new URL('../main.js', import.meta.url));

/** The command that makes another link of the service that is running with a folder, as it is called where this was. */
export function anotherLink(folder: string): string {
  const path = relative(process.cwd(), folder);
  const command = `node ${relative(process.cwd(), program)} console`;
  return path === '.rowlock' ? command : `${command} --data ${path || '.'}`;
}

/** What signs in; undefined where the address is not of this machine alone. */
export function consoleSignIn(
  { folder, host }: { readonly folder: string; readonly host: string },
  { jwt_secret }: Pick<DevSecrets, 'jwt_secret'>,
): NonNullable<ServerConfig['console_sign_in']> | undefined {
  if (!/^(?:127(?:\.\d{1,3}){3}|localhost|::1)$/.test(host)) {
    return undefined;
  }
  return {
    links: new SignInLinks({ howToGetAnother: `run ${anotherLink(folder)}` }),
    keyOf: (as) => devKey(jwt_secret, claimsOf[as], keyLifetime),
  };
}

/** The address of the console, which signs in where there is a token. */
export function consoleUrlOf(url: string, token: string | undefined): string {
  return token === undefined ? `${url}/console/` : `${url}/console/#sign-in=${token}`;
}
