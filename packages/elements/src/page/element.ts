/**
 * Makes elements of a page. It sets attributes and adds nodes, and a text becomes a text node. Invariant: nothing here
 * reads markup from data, so a name can contain any of it.
 */
export type Child = Node | string | undefined | false;

export type Attributes = Readonly<Record<string, string | boolean | undefined>>;

/** Makes an element; an attribute that is `true` is present without a value, one that is `false` is absent. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? '' : value);
    }
  }
  made.append(...children.filter((child) => child !== undefined && child !== false));
  return made;
}

/** What a button shows and does. */
export interface ButtonOptions {
  readonly class?: string;
  /** What is read aloud where the children do not say it; also shown on hover. */
  readonly label?: string;
  readonly press: (button: HTMLButtonElement) => void;
}

/** Makes a button that submits nothing. */
export function button(options: ButtonOptions, ...children: readonly Child[]): HTMLButtonElement {
  const attributes = { type: 'button', class: options.class, 'aria-label': options.label, title: options.label };
  const made = element('button', attributes, ...children);
  made.addEventListener('click', () => options.press(made));
  return made;
}

const svgNamespace = 'http://www.w3.org/2000/svg';

/** Makes an element of a drawing. */
export function svgElement<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string | number>> = {},
  ...children: readonly Node[]
): SVGElementTagNameMap[Tag] {
  const made = document.createElementNS(svgNamespace, tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}
