// Calls to the daemon: JSON in, JSON out, and every failure as one kind of error with words for people.

/** The page is not signed in (any more). */
export const SIGNED_OUT = 'signed-out';

/** A call that did not succeed. */
export class Refused extends Error {
  /**
   * @param {string} code one of the daemon's kinds, or `unreachable`
   * @param {string} message
   * @param {string} [hint] what to do next
   */
  constructor(code, message, hint) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/**
 * @param {string} path
 * @returns {Promise<any>}
 */
export const get = (path) => call('GET', path);

/**
 * Changes something.
 * @param {'POST' | 'DELETE'} method
 * @param {string} path
 * @param {object} body
 * @param {string} [key] makes a repeat of the same request answer with the first result
 * @returns {Promise<any>}
 */
export const send = (method, path, body, key) => call(method, path, body, key);

/**
 * The path of a session's resource.
 * @param {string} id
 * @param {string} [rest]
 */
export const sessionPath = (id, rest = '') => `/api/sessions/${encodeURIComponent(id)}${rest}`;

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @param {string} [key]
 */
async function call(method, path, body, key) {
  /** @type {Record<string, string>} */
  const headers = { accept: 'application/json' };
  if (body) headers['content-type'] = 'application/json';
  if (key) headers['idempotency-key'] = key;
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body ? JSON.stringify(body) : null, credentials: 'same-origin' });
  } catch {
    throw new Refused('unreachable', 'The daemon does not answer.', 'It may be restarting; `ao daemon` starts it.');
  }
  if (answer.status === 204) return null;
  const told = await answer.json().catch(() => null);
  if (answer.ok) return told;
  const error = told?.error ?? { code: 'bug', message: `The daemon answered ${answer.status}.` };
  if (answer.status === 401) document.dispatchEvent(new CustomEvent(SIGNED_OUT, { detail: error }));
  throw new Refused(error.code, error.message, error.hint);
}
