// Makes and updates DOM elements. Text only ever becomes text: nothing here takes HTML.

/**
 * @typedef {Node | string | number | null | undefined | false} Child
 * @typedef {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} Attributes
 */

/**
 * Makes an element. An attribute named `on…` is a listener; `true` is an empty attribute; `null`, `undefined` and
 * `false` are left out, in attributes as in children.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name.slice(2), value);
    else setAttribute(made, name, value);
  }
  made.append(...present(children));
  return made;
}

/**
 * Sets an attribute only when that changes something.
 * @param {Element} node
 * @param {string} name
 * @param {string | number | boolean | null | undefined} value
 */
export function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const text = value === true ? '' : String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

/**
 * Sets the text of an element only when that changes something, so that a selection in it stays.
 * @param {Element} node
 * @param {string | number} text
 */
export function setText(node, text) {
  if (node.textContent !== String(text)) node.textContent = String(text);
}

/**
 * Sets text in which the daemon quotes code `like this`: that is shown as code, and names may break inside.
 * @param {HTMLElement} node
 * @param {string} text
 */
export function setProse(node, text) {
  if (node.dataset.text === text) return;
  node.dataset.text = text;
  const parts = text.split('`');
  if (parts.length % 2 === 0) fill(node, ...breakable(text));
  else fill(node, ...parts.flatMap((part, at) => (at % 2 === 1 ? element('code', {}, ...breakable(part)) : breakable(part))));
}

/**
 * Text that may break after the marks inside names and paths, rather than leave half a line empty before them.
 * @param {string} text
 */
export function breakable(text) {
  return text.split(/(?<=[_/:])(?=\w)/).flatMap((part, at) => (at > 0 ? [element('wbr'), part] : part));
}

/**
 * An element with such text.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} attributes
 * @param {string} text
 */
export function prose(tag, attributes, text) {
  const made = element(tag, { dir: 'auto', ...attributes });
  setProse(made, text);
  return made;
}

/**
 * Replaces all children.
 * @param {Element} node
 * @param {...Child} children
 */
export function fill(node, ...children) {
  node.replaceChildren(...present(children));
}

/**
 * Moves nodes and keeps the focus, which a node that is moved loses.
 * @param {Element} within
 * @param {() => void} move
 */
export function keepFocus(within, move) {
  const focused = document.activeElement;
  move();
  if (focused instanceof HTMLElement && focused !== document.activeElement && within.contains(focused)) {
    focused.focus({ preventScroll: true });
  }
}

/**
 * Brings the children into this order; what is in its place is not touched.
 * @param {Element} parent
 * @param {Element[]} children
 */
export function arrange(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.children]) {
    if (!wanted.has(child)) child.remove();
  }
  children.forEach((child, at) => {
    if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
  });
}

/**
 * @param {Child[]} children
 * @returns {(Node | string)[]}
 */
function present(children) {
  /** @type {(Node | string)[]} */
  const nodes = [];
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    nodes.push(child instanceof Node ? child : String(child));
  }
  return nodes;
}
