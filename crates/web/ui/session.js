// The page of one session: its terminal, what to tell it, what is known of it and why.

import { age, setAge } from './ages.js';
import { element, fill, setProse } from './element.js';
import { eventList, isNews } from './eventlog.js';
import { factsPanel } from './facts.js';
import { messageForm } from './message.js';
import { terminalPane } from './pane.js';
import { sign } from './signs.js';
import { look } from './statuses.js';
import { askToStop, restore } from './stopping.js';

/** Events of the session shown beside its terminal. */
const EVENTS = 100;

/**
 * @param {import('./store.js').Store} store
 * @param {string} id
 * @param {boolean} mayWrite
 */
export function sessionPage(store, id, mayWrite) {
  const session = () => store.sessions.get(id);
  const status = element('span', { class: 'status' });
  const time = age(Date.now());
  const title = element('h1', { class: 'session-title', dir: 'auto' });
  const why = element('p', { class: 'session-why', dir: 'auto' });
  const stop = element('button', { type: 'button', class: 'danger', onclick: () => withSession(askToStop) }, 'Stop…');
  const again = element('button', { type: 'button', onclick: () => withSession(restore) }, sign('attempt'), 'Start again');
  const message = messageForm(id);
  const facts = factsPanel(id, store);
  const events = eventList({
    most: EVENTS, withSession: false, empty: 'No events in this window.',
    wanted: (event) => event.session === id && isNews(event),
  });
  const pane = terminalPane(id, mayWrite, () => (mayWrite ? message.focus() : title.focus()));
  const node = element('div', { class: 'session' },
    element('header', { class: 'session-head' },
      element('a', { class: 'back', href: '#/', 'aria-label': 'Back to the board' }, sign('back')),
      element('div', { class: 'session-what' },
        element('p', { class: 'session-line' }, status, time, element('span', { class: 'session-id' }, id)),
        title, why),
      element('div', { class: 'session-actions' }, again, stop)),
    pane.node,
    element('aside', { class: 'side', 'aria-label': 'About the session' },
      message.node, facts.node,
      element('section', {}, element('h2', { class: 'section-title' }, 'Events'), events.node)));
  const missing = element('div', { class: 'welcome' },
    element('h1', {}, `There is no session ${id}`),
    element('p', {}, 'It may belong to another data root. ', element('a', { href: '#/' }, 'Back to the board')));
  let word = '';
  let opened = false;
  let ended = false;

  /** @param {(session: import('./api').SessionView) => void} act */
  function withSession(act) {
    const view = session();
    if (view) act(view);
  }

  return {
    get node() {
      return session() ? node : missing;
    },
    title: id,
    update() {
      const view = session();
      if (!view) return;
      const shown = look(view);
      if (word !== shown.word) {
        fill(status, sign(shown.sign), shown.word);
        status.className = `status tone-${shown.tone}`;
        word = shown.word;
      }
      setAge(time, view.ended ? view.changedAt : view.activity.since, view.ended ? 'Ended' : 'Since');
      setProse(title, view.title || view.name);
      setProse(why, view.attention ?? view.why);
      stop.hidden = view.ended || !mayWrite;
      again.hidden = !view.ended || !mayWrite;
      message.update(view, mayWrite);
      facts.update(view);
      events.update(store.events);
      // A session that starts again has another terminal.
      if (node.isConnected && (!opened || (ended && !view.ended))) {
        pane.open();
        opened = true;
      }
      ended = view.ended;
    },
    close() {
      pane.close();
      facts.close();
    },
  };
}
