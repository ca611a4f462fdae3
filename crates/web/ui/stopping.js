// The question before a session is stopped, and the stop itself.

import { send, sessionPath } from './calls.js';
import { element } from './element.js';
import { complain, say } from './toast.js';

/**
 * @param {import('./api').SessionView} session
 */
export function askToStop(session) {
  const cleanup = element('input', { type: 'checkbox', id: 'cleanup' });
  const dialog = element('dialog', { class: 'dialog', 'aria-labelledby': 'stop-title', onclose: () => dialog.remove() },
    element('form', {
      method: 'dialog',
      onsubmit: (event) => {
        const { submitter } = /** @type {SubmitEvent} */ (event);
        if (/** @type {HTMLButtonElement} */ (submitter)?.value === 'stop') stop(session, cleanup.checked);
      },
    },
      element('h2', { id: 'stop-title' }, `Stop ${session.id}?`),
      element('p', {}, 'The agent and everything it started ends. The workspace stays, with all that is in it.'),
      element('label', { class: 'choice', for: 'cleanup' }, cleanup,
        element('span', {}, 'Remove the workspace too', element('small', {}, 'What is in it is kept under a rescue ref.'))),
      element('div', { class: 'dialog-foot' },
        element('button', { value: 'no', autofocus: true }, 'Keep it running'),
        element('button', { value: 'stop', class: 'danger' }, 'Stop'))));
  document.body.append(dialog);
  dialog.showModal();
}

/**
 * @param {import('./api').SessionView} session
 * @param {boolean} cleanup
 */
async function stop(session, cleanup) {
  try {
    await send('DELETE', sessionPath(session.id), { cleanup, why: 'stopped from the page' });
    say(`${session.id} is being stopped.`);
  } catch (error) {
    complain(error);
  }
}

/**
 * Starts an ended session again in its workspace.
 * @param {import('./api').SessionView} session
 */
export async function restore(session) {
  try {
    await send('POST', sessionPath(session.id, '/restore'), {});
    say(`${session.id} is starting again.`);
  } catch (error) {
    complain(error);
  }
}
