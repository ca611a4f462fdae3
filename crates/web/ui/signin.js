// Signing in: trades the one-time code of a link for a cookie, and says how to get such a link.

import { Refused, get, send } from './calls.js';
import { element, fill } from './element.js';
import { sign } from './signs.js';

/** What stands before the code in the fragment of a one-time link; the fragment never reaches a server's log. */
const MARK = '#sign-in=';

/**
 * Takes the code out of the address, so that it stays neither there nor in the history, and goes to the session that
 * the link is about, if it is about one (`/?session=ID#sign-in=CODE`; `?project=ID` is the bar's to read).
 * @returns {string | null}
 */
export function takeCode() {
  const code = holdsCode() ? decodeURIComponent(location.hash.slice(MARK.length)) : null;
  const session = new URLSearchParams(location.search).get('session');
  const place = session ? `#/session/${encodeURIComponent(session)}` : code === null ? location.hash : '';
  if (code !== null || session || location.pathname !== '/') history.replaceState(null, '', `/${place}`);
  return code;
}

/** Whether the address holds a code: a link that is opened in a tab of this page changes the fragment alone. */
export const holdsCode = () => location.hash.startsWith(MARK);

/**
 * Says who the page is, after a sign-in with the code if there is one.
 * @param {string | null} code
 * @returns {Promise<import('./api').WhoAmI>}
 */
export const signIn = (code) => (code ? send('POST', '/api/sign-in', { code }) : get('/api/whoami'));

/**
 * The page of somebody who is not signed in.
 * @param {unknown} refusal why not
 * @param {boolean} isNews whether the refusal says more than that a sign-in is needed
 * @param {(who: import('./api').WhoAmI) => void} onSignedIn
 */
export function signInPage(refusal, isNews, onSignedIn) {
  const why = element('p', { class: 'signin-why', role: 'alert', hidden: true });
  const link = element('input', {
    id: 'link', type: 'text', autocomplete: 'off', spellcheck: 'false', placeholder: 'Link or code', required: true,
  });
  const form = element('form', {
    class: 'signin-form',
    onsubmit: async (event) => {
      event.preventDefault();
      try {
        onSignedIn(await signIn(codeOf(link.value)));
      } catch (refused) {
        explain(refused);
      }
    },
  },
    element('label', { for: 'link' }, 'Or paste the link here'),
    element('div', { class: 'signin-row' }, link, element('button', { class: 'primary' }, 'Sign in')));

  /** @param {unknown} refused */
  function explain(refused) {
    const { message, hint } = refused instanceof Refused ? refused : new Refused('bug', String(refused));
    why.hidden = false;
    fill(why, sign('warn'), element('span', {}, message, hint && element('span', { class: 'hint' }, hint)));
  }

  if (isNews) explain(refusal);
  return element('section', { class: 'signin' },
    element('h1', {}, 'Sign in'),
    element('p', {}, 'This browser is not signed in. On the machine where ', element('code', {}, 'ao'), ' runs, in a terminal:'),
    element('pre', {}, 'ao open'),
    element('p', {}, 'It opens this page, or prints a link that is good once and for a minute.'),
    why, form);
}

/** @param {string} text a link or a bare code */
function codeOf(text) {
  const at = text.indexOf(MARK);
  return (at < 0 ? text : text.slice(at + MARK.length)).trim();
}
