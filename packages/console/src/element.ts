/** Makes elements of the page, as our custom elements do, and finds those that the page has. */
export { type Attributes, type ButtonOptions, button, type Child, element } from '@rowlock/elements/page';

/** The element of the page with an id. @throws Error where the page and its modules do not belong together */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(`The page has no element #${id}`);
  }
  return found;
}
