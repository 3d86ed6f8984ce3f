/** Styles of pages that are not shown at first, loaded with them: once, from the site itself. */
import { element } from './element.ts';

/** Loads a module together with a style sheet of the site, so that its page is not seen without. */
export async function withStyle<Loaded>(href: string, load: () => Promise<Loaded>): Promise<Loaded> {
  const [loaded] = await Promise.all([load(), loadStyle(href)]);
  return loaded;
}

/** Resolves when the style holds. */
function loadStyle(href: string): Promise<void> {
  if (document.querySelector(`link[href="${href}"]`) !== null) {
    return Promise.resolve();
  }
  const link = element('link', { rel: 'stylesheet', href });
  return new Promise((resolve, reject) => {
    link.addEventListener('load', () => resolve());
    link.addEventListener('error', () => {
      link.remove();
      reject(new Error(`The style ${href} could not be loaded`));
    });
    document.head.append(link);
  });
}
