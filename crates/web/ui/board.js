// The board: every session as a card, in columns by who has to act next.

import { age, setAge } from './ages.js';
import { chip, chipsOf } from './chips.js';
import { arrange, element, fill, keepFocus, setAttribute, setProse, setText } from './element.js';
import { eventList, isNews } from './eventlog.js';
import { queuePanel } from './queue.js';
import { sign } from './signs.js';
import { COLUMNS, look } from './statuses.js';

/**
 * @typedef {import('./api').SessionView} SessionView
 * @typedef {import('./store.js').Store} Store
 * @typedef {import('./statuses.js').Column} Column
 */

/** Ended sessions shown before the rest is asked for. */
const DONE_FIRST = 20;
/** Rows of the list of events beside the board. */
const NEWS = 60;

/**
 * @param {Store} store
 * @param {{ filter: () => string, project: () => string }} asked
 */
export function boardPage(store, asked) {
  /** @type {Map<string, ReturnType<typeof makeCard>>} */
  const cards = new Map();
  const columns = COLUMNS.map((column) => makeColumn(column));
  const queues = queuePanel(store);
  columns.find(({ column }) => column === 'merge')?.head.after(queues.node);
  const news = eventList({ most: NEWS, wanted: isNews, empty: 'Nothing has happened yet.' });
  const welcome = makeWelcome();
  const node = element('div', { class: 'board-page' },
    element('h1', { class: 'unseen' }, 'Board'),
    welcome,
    element('div', { class: 'board' }, ...columns.map(({ node: column }) => column)),
    element('section', { class: 'news', 'aria-label': 'What changed' },
      element('h2', { class: 'column-title' }, 'What changed'), news.node));

  return {
    node,
    title: 'Board',
    filtered: true,
    update() {
      const sessions = wantedSessions(store, asked);
      setAttribute(node, 'data-empty', store.sessions.size === 0);
      for (const id of cards.keys()) if (!store.sessions.has(id)) cards.delete(id);
      keepFocus(node, () => {
        for (const column of columns) {
          const here = sessions.filter((session) => look(session).column === column.column);
          column.show(sorted(here, column.column), (session) => {
            const card = cards.get(session.id) ?? makeCard(session);
            cards.set(session.id, card);
            card.update(session, store);
            return card.node;
          });
        }
      });
      queues.update(asked.project());
      news.update(store.events);
    },
    close() {},
  };
}

/**
 * @param {Store} store
 * @param {{ filter: () => string, project: () => string }} asked
 */
function wantedSessions(store, asked) {
  const words = asked.filter().toLowerCase().split(/\s+/);
  const project = asked.project();
  return [...store.sessions.values()].filter((session) => {
    if (project && session.projectId !== project) return false;
    const text = [session.title, session.id, session.name, session.branch, session.agent, look(session).word]
      .join(' ').toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/**
 * Who waits longest for a person comes first; what is over, newest first; the others stay where they are.
 * @param {SessionView[]} sessions
 * @param {Column} column
 */
function sorted(sessions, column) {
  if (column === 'done') return sessions.sort((a, b) => b.changedAt - a.changedAt);
  const quiet = (/** @type {SessionView} */ session) => (look(session).quiet ? 1 : 0);
  const begin = (/** @type {SessionView} */ session) => (column === 'needs' ? session.activity.since : session.createdAt);
  return sessions.sort((a, b) => quiet(a) - quiet(b) || begin(a) - begin(b));
}

/** @param {typeof COLUMNS[number]} about */
function makeColumn({ column, title, empty }) {
  const count = element('span', { class: 'count' });
  const head = element('h2', { class: 'column-title' }, title, ' ', count);
  const nothing = element('p', { class: 'empty' }, empty);
  const list = element('ul', { class: 'cards' });
  const quiet = element('li', { class: 'divider' }, 'Quiet');
  let all = false;
  let draw = () => {};
  const more = element('button', { class: 'more', type: 'button', onclick: () => { all = true; draw(); } });
  const node = element('section', { class: `column column-${column}`, 'aria-label': title }, head, nothing, list, more);
  return {
    node, head, column,
    /**
     * @param {SessionView[]} sessions
     * @param {(session: SessionView) => HTMLElement} card
     */
    show(sessions, card) {
      draw = () => {
        const shown = all || column !== 'done' ? sessions : sessions.slice(0, DONE_FIRST);
        /** @type {HTMLElement[]} */
        const nodes = [];
        const busy = shown.findIndex((session) => look(session).quiet);
        shown.forEach((session, at) => {
          if (at === busy && at > 0) nodes.push(quiet);
          nodes.push(card(session));
        });
        arrange(list, nodes);
        setText(count, sessions.length);
        nothing.hidden = sessions.length > 0;
        more.hidden = shown.length === sessions.length;
        setText(more, `${sessions.length - shown.length} older`);
      };
      draw();
    },
  };
}

/** @param {SessionView} session */
function makeCard(session) {
  const status = element('span', { class: 'status' });
  const time = age(session.activity.since);
  const title = element('a', { class: 'card-title', dir: 'auto', href: `#/session/${encodeURIComponent(session.id)}` });
  const attempts = element('span', { class: 'attempts', title: 'Prompts given for this failure so far' });
  const why = element('p', { class: 'why', dir: 'auto' });
  const where = element('p', { class: 'where' });
  const chips = element('ul', { class: 'chips' });
  const node = element('li', { class: 'card' },
    element('p', { class: 'card-top' }, status, attempts, time), title, why, where, chips);
  /** @type {SessionView | null} */
  let drawn = null;
  let drawnBeside = '';
  let word = '';
  return {
    node,
    /**
     * @param {SessionView} view
     * @param {Store} store
     */
    update(view, store) {
      const place = store.placeOf(view);
      const task = store.taskOf(view);
      // A session that did not change is the very same object.
      const beside = JSON.stringify([place, task?.attempts]);
      if (view === drawn && beside === drawnBeside) return;
      drawn = view;
      drawnBeside = beside;
      const shown = look(view);
      setAttribute(node, 'data-tone', shown.tone);
      setAttribute(node, 'data-status', view.status);
      if (word !== shown.word) {
        fill(status, sign(shown.sign), shown.word);
        status.className = `status tone-${shown.tone}`;
        if (word) flash(node);
        word = shown.word;
      }
      setAge(time, view.ended ? view.changedAt : view.activity.since, view.ended ? 'Ended' : 'Since');
      setProse(title, view.title || view.name);
      setProse(why, view.attention ?? view.why);
      why.title = view.attention ?? view.why;
      // A reason that only repeats the word is left out.
      why.hidden = (view.attention ?? view.why).toLowerCase() === shown.word.toLowerCase();
      setText(attempts, task && task.attempts > 1 ? `attempt ${task.attempts}` : '');
      fill(where, element('span', {}, view.id), element('span', {}, view.agent),
        element('span', { class: 'branch', title: `Branch ${view.branch}` }, sign('branch'), element('bdi', {}, view.branch)));
      const made = chipsOf(view, place);
      fill(chips, ...made.map(chip));
      chips.hidden = made.length === 0;
    },
  };
}

/**
 * Shows for a moment that something changed here.
 * @param {HTMLElement} node
 */
function flash(node) {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  node.animate([{ backgroundColor: 'var(--flash)' }, { backgroundColor: 'var(--surface)' }], { duration: 1200, easing: 'ease-out' });
}

function makeWelcome() {
  return element('div', { class: 'welcome' },
    element('h2', {}, 'No sessions yet'),
    element('p', {}, 'Start an agent in a workspace of its own, or let a run mend what is red. They appear here by themselves.'),
    element('pre', {}, 'ao new "Fix the login redirect"\nao fix --check "cargo test"\nao demo'));
}
