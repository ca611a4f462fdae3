// What is known of a session and why: its facts, the evidence behind its status, and what is on its way.

import { age, duration } from './ages.js';
import { Refused, get, sessionPath } from './calls.js';
import { chip, chipsOf } from './chips.js';
import { breakable, element, fill, prose } from './element.js';

/**
 * @typedef {import('./api').SessionView} SessionView
 * @typedef {import('./api').Explanation} Explanation
 * @typedef {import('./store.js').Store} Store
 */

/** Evidence is asked for at most this often while a session changes, in milliseconds. */
const ASK_EVERY = 1000;

/**
 * @param {string} id session
 * @param {Store} store
 */
export function factsPanel(id, store) {
  const facts = element('dl', { class: 'facts' });
  const chips = element('ul', { class: 'chips' });
  const why = element('div', { class: 'evidence' });
  const node = element('div', { class: 'facts-panel' },
    element('section', {}, element('h2', { class: 'section-title' }, 'Facts'), chips, facts),
    element('section', {}, element('h2', { class: 'section-title' }, 'Why this status'), why));
  let drawn = '';
  let asked = 0;
  let timer = 0;

  async function explain() {
    timer = 0;
    asked = Date.now();
    try {
      fill(why, ...explanation(await get(sessionPath(id, '/explain'))));
    } catch (error) {
      const text = error instanceof Refused ? error.message : 'The evidence could not be shown.';
      fill(why, element('p', { class: 'empty' }, text));
    }
  }

  return {
    node,
    /** @param {SessionView} session */
    update(session) {
      const task = store.taskOf(session);
      const place = store.placeOf(session);
      const now = JSON.stringify([session, task?.attempts, place]);
      if (now === drawn) return;
      drawn = now;
      const made = chipsOf(session, place);
      fill(chips, ...made.map(chip));
      chips.hidden = made.length === 0;
      fill(facts, ...rows(session, store));
      timer ||= window.setTimeout(explain, Math.max(0, asked + ASK_EVERY - Date.now()));
    },
    close() {
      clearTimeout(timer);
    },
  };
}

/**
 * @param {SessionView} session
 * @param {Store} store
 */
function rows(session, store) {
  const task = store.taskOf(session);
  /** @type {[string, import('./element.js').Child][]} */
  const all = [
    ['Agent', session.agent],
    ['Activity', element('span', { title: session.activity.why }, session.activity.activity.replaceAll('_', ' '),
      ' for ', age(session.activity.since))],
    ['Process', [session.runtimeState, session.exit].filter(Boolean).join(', ')],
    ['Branch', element('bdi', { class: 'code' }, ...breakable(session.branch))],
    ['Workspace', session.workspacePath && element('span', { class: 'code path', title: session.workspacePath },
      element('bdi', {}, session.workspacePath))],
    ['Issue', session.issue],
    ['Run', session.run && element('a', { href: `#/run/${encodeURIComponent(session.run)}` }, session.run)],
    ['Mends', task && element('span', { class: 'code' }, ...breakable(task.failures.join(', ')))],
    ['Attempts', task?.attempts],
    ['Turns', session.turns],
    ['Halted', session.frozenSince && element('span', {}, 'for ', age(session.frozenSince), ', until it is needed')],
    ['Window', session.terminal?.title && prose('span', {}, session.terminal.title)],
    ['Says', session.terminal?.notification && prose('span', {}, session.terminal.notification.text)],
    ['Bells', session.terminal?.bells],
    ['Ports', session.portBase && `${session.portBase} and the nine after it`],
    ['Put back', session.putBack && prose('span', {}, session.putBack)],
    ['Kept work', session.rescue && element('span', { class: 'code' }, session.rescue)],
    ['Started', age(session.createdAt)],
    ['Name', session.name !== session.title && element('bdi', {}, session.name)],
    ['Runs in', `${session.runtime}, ${session.workspace}`],
  ];
  return all.flatMap(([name, value]) => (value === undefined || value === '' || value === null || value === false ? [] : [
    element('dt', {}, name), element('dd', {}, value),
  ]));
}

/** @param {Explanation} told */
function explanation(told) {
  const evidence = element('table', { class: 'evidence-table' },
    element('thead', {}, element('tr', {}, ...['Source', 'Says', 'Age'].map((name) => element('th', { scope: 'col' }, name)))),
    element('tbody', {}, ...told.evidence.map((piece) => element('tr', { title: piece.why },
      element('td', {}, piece.source),
      element('td', {}, piece.activity.replaceAll('_', ' '), prose('small', {}, piece.why)),
      element('td', {}, age(piece.at))))));
  const pending = told.pending.map((effect) => element('li', {},
    element('code', {}, effect.key),
    effect.fault ? ` ${effect.fault}` : ` for ${duration(Date.now() - effect.since)}`,
    effect.uncertain && ' (nobody knows whether it happened)'));
  const delivered = told.deliveries.filter(({ state }) => state === 'delivered').length;
  return [
    element('p', { class: 'rule' }, 'Rule ', element('b', {}, told.rule), ': ', prose('span', {}, told.session.why)),
    told.evidence.length > 0 ? evidence : element('p', { class: 'empty' }, 'No source has said anything yet.'),
    pending.length > 0 && element('h3', { class: 'section-title' }, 'On its way'),
    pending.length > 0 && element('ul', { class: 'pending' }, ...pending),
    told.deliveries.length > 0 && element('p', { class: 'rule' },
      `${delivered} of ${told.deliveries.length} prompts delivered`),
  ];
}
