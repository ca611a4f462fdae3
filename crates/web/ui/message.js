// The box in which a person tells an agent something. What was typed is kept in this tab until it was taken.

import { send, sessionPath } from './calls.js';
import { element, setText } from './element.js';
import { complain } from './toast.js';
import { sign } from './signs.js';

/** @typedef {import('./api').SessionView} SessionView */

/** @type {Record<string, string>} */
const STAGES = {
  queued: 'Waits until the agent takes a prompt',
  pasting: 'On its way into the composer',
  submitting: 'On its way into the composer',
  submitted: 'Typed; the agent has not begun yet',
  delivered: 'Delivered',
  uncertain: 'Nobody knows whether it arrived: look at the terminal',
  dropped: 'Given up',
};

/**
 * @param {string} id session
 */
export function messageForm(id) {
  const kept = `draft ${id}`;
  const text = element('textarea', {
    id: 'message', rows: 3, placeholder: 'Tell the agent…', dir: 'auto', oninput: () => draft(text.value),
    onkeydown: (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    },
  });
  text.value = sessionStorage.getItem(kept) ?? '';
  const button = element('button', { type: 'submit', class: 'primary' }, sign('send'), 'Send');
  const stage = element('p', { class: 'stage', role: 'status' });
  const form = element('form', {
    class: 'message',
    onsubmit: (event) => {
      event.preventDefault();
      submit();
    },
  },
    element('label', { class: 'section-title', for: 'message' }, 'Message'),
    text,
    element('div', { class: 'message-foot' }, stage, button));
  // The same key for the same text: a repeat after a lost answer is not typed twice.
  let key = '';

  /** @param {string} value */
  function draft(value) {
    key = '';
    if (value) sessionStorage.setItem(kept, value);
    else sessionStorage.removeItem(kept);
  }

  async function submit() {
    const content = text.value.trim();
    if (!content || button.disabled) return;
    key ||= randomKey();
    button.disabled = true;
    try {
      await send('POST', sessionPath(id, '/message'), { content }, key);
      text.value = '';
      draft('');
    } catch (error) {
      complain(error);
    } finally {
      button.disabled = text.disabled;
    }
  }

  return {
    node: form,
    focus: () => text.focus(),
    /**
     * @param {SessionView} session
     * @param {boolean} mayWrite
     */
    update(session, mayWrite) {
      text.disabled = session.ended || !mayWrite;
      button.disabled = text.disabled;
      text.placeholder = !mayWrite ? 'You may look only.' : session.ended ? 'The session is over.' : 'Tell the agent…';
      const { delivery, promptsWaiting } = session;
      const more = promptsWaiting > 1 ? ` (${promptsWaiting - 1} more after it)` : '';
      setText(stage, delivery ? `${delivery.held ?? STAGES[delivery.state] ?? delivery.state}${more}` : '');
    },
  };
}

/** Random, and available where the page is not in a secure context too. */
function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
