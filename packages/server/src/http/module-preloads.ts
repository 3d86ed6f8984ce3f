/**
 * Tells a browser at once which modules a page is going to import, all the way down, so that it does not ask for one after
 * the other. It reads compiled modules, whose imports stand at the beginnings of lines; what it does not find, the browser
 * finds later.
 */
import { posix } from 'node:path';
import type { SiteFile } from './site-file.ts';

const imports = /^(?:import|export)\s[^'";]*?\bfrom\s*["']([^"']+)["']|^import\s*["']([^"']+)["']/gm;

/** The page with a `modulepreload` for each module of its site that its module scripts import. */
export function withModulePreloads(page: string, files: ReadonlyMap<string, SiteFile>): string {
  const map = importMapOf(page);
  const entries = [...page.matchAll(/<script type="module" src="([^"]+)"/g)].map(([, src = '']) =>
    posix.normalize(src),
  );
  const found = new Set(entries);
  for (const path of found) {
    for (const [, from, bare] of (files.get(path)?.body.toString() ?? '').matchAll(imports)) {
      const target = resolved(path, from ?? bare ?? '', map);
      if (target !== undefined && files.has(target)) found.add(target);
    }
  }
  const links = [...found]
    .filter((path) => !entries.includes(path))
    .map((path) => `<link rel="modulepreload" fetchpriority="low" href="${path}">`);
  // Behind the import map: a browser takes none once it has begun with modules.
  return page.replace('<script type="module"', `${links.join('')}<script type="module"`);
}

function resolved(importer: string, specifier: string, map: Readonly<Record<string, string>>): string | undefined {
  if (specifier.startsWith('./') || specifier.startsWith('../')) {
    return posix.join(posix.dirname(importer), specifier);
  }
  const mapped = Object.hasOwn(map, specifier) ? map[specifier] : undefined;
  return mapped === undefined ? undefined : posix.normalize(mapped);
}

function importMapOf(page: string): Readonly<Record<string, string>> {
  const [, json = '{}'] = /<script type="importmap">(.*?)<\/script>/s.exec(page) ?? [];
  return (JSON.parse(json) as { readonly imports?: Readonly<Record<string, string>> }).imports ?? {};
}
