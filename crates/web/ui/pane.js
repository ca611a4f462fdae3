// The terminal on a session's page: its bar, the choice between looking and typing, and what was printed earlier.

import { get, sessionPath } from './calls.js';
import { element, fill, setAttribute, setText } from './element.js';
import { complain } from './toast.js';
import { sign } from './signs.js';

/** Rows of earlier output that are shown at once. */
const EARLIER = 5000;
/** Where the choice is kept: one for all sessions. */
const CHOICE = 'ao.terminal';
/** From this width on a terminal is typed into by default; on a phone it is only looked at, at its own size. */
const WIDE = '(min-width: 720px)';

/** @type {Record<import('./socket.js').SocketState, string>} */
const STATES = { connecting: 'Connecting…', open: 'Live', lost: 'Connection lost, trying again…', ended: 'Ended' };

/**
 * @param {string} id session
 * @param {boolean} mayType
 * @param {() => void} onLeave
 */
export function terminalPane(id, mayType, onLeave) {
  const state = element('span', { class: 'term-state', role: 'status' });
  const size = element('span', { class: 'term-size', title: 'Columns × rows' });
  const note = element('p', { class: 'term-note', hidden: true });
  const box = element('div', { class: 'term-box' });
  const earlier = element('button', { type: 'button', class: 'plain', hidden: true, onclick: () => showEarlier(id) });
  const look = radio('Look', 'look', 'The terminal keeps its size; keys go nowhere');
  const type = radio('Type', 'type', 'Keys go to the agent; the terminal takes the size of this window');
  type.input.disabled = !mayType;
  const node = element('section', { class: 'term', 'aria-label': 'Terminal' },
    element('div', { class: 'term-bar' }, state, size, earlier, element('span', { class: 'space' }),
      element('span', { class: 'term-hint' }, element('kbd', {}, 'F6'), ' leaves the terminal'),
      element('div', { class: 'segments', role: 'radiogroup', 'aria-label': 'Terminal' }, look.node, type.node)),
    box, note);
  /** @type {import('./terminal.js').LiveTerminal | null} */
  let live = null;
  let closed = false;

  const wantsToType = () => {
    const kept = localStorage.getItem(CHOICE);
    return mayType && (kept ? kept === 'type' : matchMedia(WIDE).matches);
  };
  const choose = () => {
    localStorage.setItem(CHOICE, type.input.checked ? 'type' : 'look');
    live?.setReadOnly(!type.input.checked);
    if (type.input.checked) live?.focus();
  };
  look.input.addEventListener('change', choose);
  type.input.addEventListener('change', choose);

  return {
    node,
    /** Opens the terminal; the node must be on the page, its size is measured. */
    async open() {
      // Most pages show no terminal: xterm.js is fetched by the first that does.
      const { LiveTerminal } = await import('./terminal.js');
      if (closed) return;
      const typing = wantsToType();
      (typing ? type : look).input.checked = true;
      live?.close();
      fill(box);
      note.hidden = true;
      live = new LiveTerminal(box, id, !typing, {
        onState: (now) => {
          setText(state, STATES[now]);
          setAttribute(state, 'data-state', now);
        },
        onSize: (cols, rows, history) => {
          setText(size, `${cols} × ${rows}`);
          if (history < 0) return;
          earlier.hidden = history === 0;
          setText(earlier, `${history.toLocaleString()} earlier rows`);
        },
        onExited: ({ code, signal, why }) => {
          const how = code !== null ? `exit code ${code}` : signal !== null ? `signal ${signal}` : 'nobody saw how';
          fill(note, sign(code === 0 ? 'done' : 'stopped'), `The agent's process ended: ${how}${why ? `. ${why}` : ''}`);
          note.hidden = false;
        },
        onLeave,
      });
    },
    focus: () => live?.focus(),
    close() {
      closed = true;
      live?.close();
    },
  };
}

/**
 * @param {string} label
 * @param {string} value
 * @param {string} title
 */
function radio(label, value, title) {
  const input = element('input', { type: 'radio', name: 'terminal', value });
  return { input, node: element('label', { title }, input, element('span', {}, label)) };
}

/** @param {string} id */
async function showEarlier(id) {
  try {
    const { lines, earlier } = await get(sessionPath(id, `/logs?lines=${EARLIER}`));
    const text = element('pre', { class: 'earlier', tabindex: 0, dir: 'ltr' }, lines.join('\n'));
    const dialog = element('dialog', { class: 'dialog dialog-wide', 'aria-label': `Output of ${id}`, onclose: () => dialog.remove() },
      element('form', { method: 'dialog', class: 'dialog-head' },
        element('h2', {}, `Output of ${id}`), element('button', {}, 'Close')),
      earlier > 0 && element('p', { class: 'hint' }, `${earlier.toLocaleString()} older rows: `, element('code', {}, `ao logs ${id}`)),
      text);
    document.body.append(dialog);
    dialog.showModal();
    text.scrollTop = text.scrollHeight;
  } catch (error) {
    complain(error);
  }
}
