// Ages that keep growing by themselves: one timer for the whole page, which touches only what changed.

import { setText } from './element.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * A length of time in one unit, two where the second one matters: `now, 42s, 7m, 3h 20m, 5d`.
 * @param {number} ms
 * @returns {string}
 */
export function duration(ms) {
  if (ms < SECOND) return 'now';
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m`;
  if (ms < DAY) {
    const minutes = Math.floor((ms % HOUR) / MINUTE);
    return `${Math.floor(ms / HOUR)}h${minutes > 0 ? ` ${minutes}m` : ''}`;
  }
  return `${Math.floor(ms / DAY)}d`;
}

/**
 * How long something took, exact enough to compare: `0.8s, 12s, 3m 05s, 2h 10m`.
 * @param {number} ms
 * @returns {string}
 */
export function took(ms) {
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)}s`;
  if (ms < MINUTE) return `${Math.round(ms / SECOND)}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m ${String(Math.floor((ms % MINUTE) / SECOND)).padStart(2, '0')}s`;
  return duration(ms);
}

/**
 * Makes an element that shows how long ago `at` was.
 * @param {number} at Unix milliseconds
 * @param {string} [what] what happened then, for the tooltip
 * @returns {HTMLTimeElement}
 */
export function age(at, what) {
  const time = document.createElement('time');
  time.className = 'age';
  setAge(time, at, what);
  return time;
}

/**
 * @param {HTMLTimeElement} time
 * @param {number} at Unix milliseconds
 * @param {string} [what]
 */
export function setAge(time, at, what) {
  if (time.dataset.at !== String(at)) {
    time.dataset.at = String(at);
    time.dateTime = new Date(at).toISOString();
    time.title = `${what ? `${what} ` : ''}${new Date(at).toLocaleString()}`;
  }
  setText(time, duration(Date.now() - at));
}

setInterval(() => {
  if (document.hidden) return;
  for (const time of document.querySelectorAll('time.age')) {
    setText(time, duration(Date.now() - Number(/** @type {HTMLElement} */ (time).dataset.at)));
  }
}, SECOND);
