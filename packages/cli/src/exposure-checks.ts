/**
 * What the world can reach and read: secrets, files that hold them, origins, and the address that is listened on. It
 * looks at settings and file modes only. Invariant: a finding names a setting and never shows its value.
 */
import { statSync } from 'node:fs';
import { type Finding, finding } from './finding.ts';
import type { Settings } from './options.ts';
import { secretFix, weaknessOf } from './secret-strength.ts';

/** Secrets whose holder can make tokens or URLs that we accept. */
const forgingSecrets: readonly string[] = [
  'jwt-secret',
  'signed-url-secret',
  'signed-url-previous-secret',
  's3-secret-access-key',
  'events-s3-secret',
  'http-signer-secret',
];

function isOptional(settings: Settings, name: string): boolean {
  const keys = settings.text('jwt-jwks') ?? settings.text('jwt-jwks-url');
  return (
    ['signed-url-previous-secret', 'events-s3-secret', 'http-signer-secret'].includes(name) ||
    (name === 'jwt-secret' && keys !== undefined)
  );
}

/** The one secret of a setting, or the several that only verify. */
function secretsOf(settings: Settings, name: string): readonly string[] {
  if (name === 'signed-url-previous-secret') return settings.secrets(name);
  const value = settings.text(name);
  return value === undefined ? [] : [value];
}

function checkSecret(settings: Settings, name: string): readonly Finding[] {
  const values = secretsOf(settings, name);
  if (values.length === 0) {
    return isOptional(settings, name) ? [] : [finding(name, 'fail', 'not set', secretFix)];
  }
  const judged = values.map((value) => {
    const weakness = weaknessOf(value);
    return weakness === undefined
      ? finding(name, 'ok', `${Buffer.byteLength(value)} bytes`)
      : finding(name, 'fail', weakness, secretFix);
  });
  return [...judged, ...checkSource(settings, name)];
}

/** A secret is no better kept than where it came from. */
function checkSource(settings: Settings, name: string): readonly Finding[] {
  const { file, source = '' } = settings.all.find(({ option }) => option.name === name) ?? {};
  if (file !== undefined && (statSync(file).mode & 0o007) !== 0) {
    return [finding(`${name} file`, 'warn', 'is open to everybody on this machine', `chmod 600 ${file}`)];
  }
  return source.startsWith('--')
    ? [finding(`${name} flag`, 'warn', 'is shown to everybody who lists processes', 'set its variable, or its _FILE')]
    : [];
}

/** Judges every secret by itself, and that no two are the same: whoever has one must not have the others. */
export function checkSecrets(settings: Settings): readonly Finding[] {
  const found = forgingSecrets.flatMap((name) => checkSecret(settings, name));
  const twins = forgingSecrets.filter((name, place) => {
    const others = forgingSecrets.slice(0, place).flatMap((other) => secretsOf(settings, other));
    return secretsOf(settings, name).some((value) => others.includes(value));
  });
  return [...found, ...twins.map((name) => finding(name, 'fail', 'is the same as another secret', secretFix))];
}

const loopback = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/** Judges who may call: from which pages, and over which wires. */
export function checkExposure(settings: Settings): readonly Finding[] {
  const found: Finding[] = [];
  if (settings.list('cors-origins').includes('*')) {
    const says = 'pages of any origin may call';
    found.push(finding('cors-origins', 'fail', says, 'list the origins of your applications in CORS_ORIGINS'));
  }
  const host = settings.required('host');
  const publicUrl = settings.text('public-url');
  const isPrivate = loopback.test(host) && (publicUrl === undefined || loopback.test(hostOf(publicUrl)));
  if (!isPrivate && !publicUrl?.startsWith('https://')) {
    const says = `tokens and files go over the network as they are: ${publicUrl ?? `listening on ${host}`}`;
    found.push(finding('tls', 'warn', says, 'put TLS in front and set PUBLIC_URL to its https address'));
  }
  return found;
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : '';
}
