/**
 * Traces of the machine that a file was written on, and of its secrets: absolute paths, hosts of package registries,
 * credentials. The patterns are assembled here from what this machine says about itself, so that this file contains
 * none of what it looks for.
 */
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { isTest } from './places.ts';
import { lineAt, repositoryRoot, type SourceFile, type Violation } from './tree.ts';

/** What the machine says of itself; given to the rules so that their controls do not depend on it. */
export interface Machine {
  readonly folders: readonly string[];
  readonly hosts: readonly string[];
}

/** Folders that every machine has, so that a path in them names no machine. */
const everywhere = new Set(['/', '/tmp', '/home', '/srv', '/opt', '/usr', '/var', '/mnt', '/data', '/app']);

/** Hosts of public registries, in pieces, since this file is checked too. */
const publicHosts = [
  ['registry', 'npmjs', 'org'],
  ['registry', 'yarnpkg', 'com'],
  ['npm', 'pkg', 'github', 'com'],
  ['proxy', 'golang', 'org'],
  ['sum', 'golang', 'org'],
  ['files', 'pythonhosted', 'org'],
  ['pypi', 'org'],
  ['index', 'crates', 'io'],
  ['static', 'crates', 'io'],
  ['deb', 'debian', 'org'],
].map((parts) => parts.join('.'));

const secrets: readonly { readonly what: string; readonly pattern: RegExp; readonly inTests: boolean }[] = [
  { what: 'an AWS access key', pattern: /\b(AKIA|ASIA)(?![A-Z0-9]*EXAMPLE)[A-Z0-9]{16}\b/g, inTests: true },
  { what: 'a GitHub token', pattern: /\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{40,})/g, inTests: true },
  { what: 'a Slack token', pattern: /\bxox[baprs]-[A-Za-z0-9-]{10,}/g, inTests: true },
  { what: 'a private key', pattern: /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/g, inTests: false },
  { what: 'a signed token', pattern: /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/g, inTests: false },
];

/** Asks this machine where it keeps the repository and its users, and which registries it is configured for. */
export function thisMachine(): Machine {
  const root = repositoryRoot();
  const folders = [homedir(), root, dirname(root)].filter((folder) => !everywhere.has(folder));
  return { folders, hosts: [...new Set([...publicHosts, ...configuredHosts()])] };
}

/** Reports absolute paths of one machine. The users of container images, such as node, belong to no machine. */
export function machinePaths(files: readonly SourceFile[], machine: Machine = thisMachine()): Violation[] {
  const known = machine.folders.map((folder) => new RegExp(`(?<![\\w.@}/-])${escaped(folder)}/`, 'g'));
  const anyone = [
    /(?<![\w.@}/-])\/(home|Users)\/(?!(node|rowlock)\/)[A-Za-z][\w.-]*\//g,
    /\b[A-Z]:\\+Users\\+[^\\\s]+\\/g,
  ];
  const message = 'a path of one machine; take it from a parameter, the environment or the module itself';
  return search(files, [...known, ...anyone], { rule: 'machine-path', message });
}

/** Reports hosts of package registries and URLs in the lock file, both of which tie an install to one network. */
export function registryHosts(files: readonly SourceFile[], machine: Machine = thisMachine()): Violation[] {
  const patterns = machine.hosts.map((host) => new RegExp(`(?<![\\w.-])${escaped(host)}(?![\\w-])`, 'g'));
  const named = { rule: 'registry-host', message: 'the host of a package registry; leave it to the configuration' };
  const locked = { rule: 'registry-host', message: 'a URL in the lock file; remove "resolved" from this entry' };
  return [
    ...search(files, patterns, named),
    ...search(files.filter(isLockFile), [/"resolved":\s*"[^"]*:\/?\/?[^"]*"/g], locked),
    ...search(files.filter(isPackageConfig), [/^[^#;\n]*registry\s*=/gm], named),
  ];
}

/** Reports what looks like a credential; keys and tokens made for a test may stand in tests. */
export function secretStrings(files: readonly SourceFile[]): Violation[] {
  return secrets.flatMap(({ what, pattern, inTests }) => {
    const checked = files.filter(({ path }) => inTests || !(isTest(path) || path.startsWith('test/')));
    return search(checked, [pattern], { rule: 'secret', message: `${what}; remove it, and revoke it if it is real` });
  });
}

function search(
  files: readonly SourceFile[],
  patterns: readonly RegExp[],
  report: { readonly rule: string; readonly message: string },
): Violation[] {
  return files.flatMap(({ path, text }) => {
    const lines = patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => lineAt(text, match.index)));
    return [...new Set(lines)].map((line) => ({ path, line, ...report }));
  });
}

function isLockFile({ path }: SourceFile): boolean {
  return path.endsWith('package-lock.json');
}

function isPackageConfig({ path }: SourceFile): boolean {
  return path.endsWith('.npmrc');
}

/** The hosts in the settings by which package managers are pointed at a registry; npm tells its scripts its own. */
function configuredHosts(): string[] {
  const settings = ['npm_config_registry', 'NPM_CONFIG_REGISTRY', 'PIP_INDEX_URL', 'GOPROXY'];
  const urls = settings.flatMap((name) => (process.env[name] ?? '').split(/[\s,|]+/));
  const hosts = urls.flatMap((url) => (URL.canParse(url) ? [new URL(url).hostname] : []));
  return hosts.filter((host) => host.includes('.') && !host.startsWith('127.'));
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
