// Keys of the page, outside of text fields and the terminal, and the list of them.

import { element } from './element.js';

/** @type {[string, string][]} */
const KEYS = [
  ['b', 'Board'],
  ['r', 'Runs'],
  ['e', 'Events'],
  ['n', 'Next session that needs you'],
  ['↑ ↓ ← →', 'Move between cards'],
  ['Enter', 'Open the card'],
  ['/', 'Filter'],
  ['t', 'Into the terminal'],
  ['F6', 'Out of the terminal'],
  ['m', 'Write a message'],
  ['Ctrl Enter', 'Send the message'],
  ['?', 'This list'],
];

/**
 * @param {Record<string, () => void>} actions by key
 * @param {AbortSignal} signal ends it
 */
export function listenForKeys(actions, signal) {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector('dialog[open]')) return;
    if (event.key.startsWith('Arrow')) {
      if (moveBetweenCards(event.key)) event.preventDefault();
      return;
    }
    const action = event.key === '?' ? showKeys : actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }, { signal });
}

/** @param {EventTarget | null} target */
const isTyping = (target) => target instanceof HTMLElement && target.closest('input:not([type=radio]), textarea, select, .xterm') !== null;

/** @param {string} key */
function moveBetweenCards(key) {
  const here = document.activeElement?.closest('.card');
  const first = /** @type {HTMLElement | null} */ (document.querySelector('.card .card-title'));
  if (!here) {
    if (!first || document.activeElement !== document.body) return false;
    first.focus();
    return true;
  }
  const columns = [...document.querySelectorAll('.column')].map((column) => [...column.querySelectorAll('.card')])
    .filter((cards) => cards.length > 0);
  const across = columns.findIndex((cards) => cards.includes(here));
  const down = columns[across]?.indexOf(here) ?? 0;
  const to = {
    ArrowUp: [across, down - 1], ArrowDown: [across, down + 1], ArrowLeft: [across - 1, down], ArrowRight: [across + 1, down],
  }[key];
  const cards = to && columns[to[0]];
  const card = cards && to && cards[Math.min(to[1], key === 'ArrowDown' ? to[1] : cards.length - 1)];
  if (!card) return false;
  /** @type {HTMLElement | null} */ (card.querySelector('.card-title'))?.focus();
  return true;
}

function showKeys() {
  const dialog = element('dialog', { class: 'dialog', 'aria-labelledby': 'keys-title', onclose: () => dialog.remove() },
    element('form', { method: 'dialog', class: 'dialog-head' },
      element('h2', { id: 'keys-title' }, 'Keys'), element('button', {}, 'Close')),
    element('dl', { class: 'keys' }, ...KEYS.flatMap(([key, what]) => [
      element('dt', {}, ...key.split(' ').map((part) => element('kbd', {}, part))), element('dd', {}, what),
    ])));
  document.body.append(dialog);
  dialog.showModal();
}
