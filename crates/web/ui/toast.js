// Short notes at the edge of the page: what was done, or why it was not.

import { element } from './element.js';
import { sign } from './signs.js';

/** How long a note stays, in milliseconds; a failure stays until it is closed. */
const STAYS = 4000;

/** @param {string} text */
export function say(text) {
  const node = element('div', { class: 'toast' }, sign('done'), element('p', {}, text));
  show(node);
  setTimeout(() => node.remove(), STAYS);
}

/**
 * Shows why something was not done.
 * @param {unknown} error
 */
export function complain(error) {
  const { message, hint } = /** @type {{ message: string, hint?: string }} */ (error);
  const node = element('div', { class: 'toast toast-bad' }, sign('warn'),
    element('p', {}, message, hint && element('span', { class: 'hint' }, hint)),
    element('button', { type: 'button', class: 'plain', 'aria-label': 'Close', onclick: () => node.remove() }, '×'));
  show(node);
}

/** @param {HTMLElement} node */
function show(node) {
  document.getElementById('toasts')?.append(node);
}
