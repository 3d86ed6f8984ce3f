/** The absolute path of the built site: `index.html`, its style, and below `dist` the modules that it loads. */
export const siteFolder: string = decodeURIComponent(new URL('..', import.meta.url).pathname);
