// The small facts at the foot of a card: pull request, checks, place in the queue, a prompt on its way.

import { element } from './element.js';
import { sign } from './signs.js';

/**
 * @typedef {import('./api').SessionView} SessionView
 * @typedef {{ stage: string } | { place: number, of: number } | null} Place
 * @typedef {import('./statuses.js').Tone} Tone
 * @typedef {{ sign: string, tone: Tone, text: string, title?: string }} Chip
 */

/** @type {Record<string, { sign: string, tone: Tone, text: string }>} */
const CHECKS = {
  pending: { sign: 'checking', tone: 'work', text: 'checks run' },
  passed: { sign: 'done', tone: 'good', text: 'checks passed' },
  failed: { sign: 'cross', tone: 'bad', text: 'checks failed' },
};

/**
 * Stages of a delivery that is still on its way or needs a look.
 * @type {Record<string, { tone: Tone, text: string }>}
 */
const DELIVERIES = {
  queued: { tone: 'quiet', text: 'prompt waits' },
  pasting: { tone: 'work', text: 'typing prompt' },
  submitting: { tone: 'work', text: 'typing prompt' },
  submitted: { tone: 'work', text: 'prompt typed' },
  uncertain: { tone: 'bad', text: 'prompt uncertain' },
};

/**
 * @param {SessionView} session
 * @param {Place} place
 * @returns {Chip[]}
 */
export function chipsOf(session, place) {
  /** @type {Chip[]} */
  const chips = [];
  const { pr, delivery } = session;
  if (pr) {
    chips.push({ sign: 'pull', tone: pr.state === 'merged' ? 'good' : 'quiet', text: `#${pr.number}`, title: `Pull request ${pr.number} onto ${pr.target}: ${pr.state}` });
    if (pr.state === 'open') {
      if (CHECKS[pr.checks]) chips.push(CHECKS[pr.checks]);
      if (pr.merge === 'conflicted') chips.push({ sign: 'conflict', tone: 'bad', text: 'conflict' });
    }
    if (pr.landed) chips.push({ sign: 'merged', tone: 'good', text: pr.landed.slice(0, 7), title: `Landed as ${pr.landed}` });
  }
  if (place) {
    chips.push('stage' in place
      ? { sign: 'queue', tone: 'queue', text: place.stage, title: 'In the batch that is being tried' }
      : { sign: 'queue', tone: 'queue', text: `${place.place} of ${place.of}`, title: 'Place in the merge queue' });
  }
  if (delivery && DELIVERIES[delivery.state]) {
    chips.push({ sign: 'send', ...DELIVERIES[delivery.state], title: delivery.held });
  }
  return chips;
}

/** @param {Chip} chip */
export const chip = ({ sign: name, tone, text, title }) =>
  element('li', { class: `chip tone-${tone}`, title }, sign(name), element('span', {}, text));
