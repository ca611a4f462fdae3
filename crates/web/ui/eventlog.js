// What happened, newest first: as a short list beside other things, and as a page of its own.

import { age } from './ages.js';
import { element, prose, setText } from './element.js';

/**
 * @typedef {import('./api').EventView} EventView
 * @typedef {import('./store.js').Store} Store
 */

/** Kinds that say that time passed or bytes flowed, not that anything changed: left out of the short list. */
const PULSE = new Set(['ticked', 'output_seen', 'host_probed']);

/**
 * A list of events that grows at the top.
 * @param {object} options
 * @param {number} options.most rows shown
 * @param {(event: EventView) => boolean} options.wanted
 * @param {boolean} [options.withKind] shows the kind of each event
 * @param {boolean} [options.withSession] shows whose each is
 * @param {string} options.empty
 */
export function eventList({ most, wanted, withKind, withSession = true, empty }) {
  const list = element('ol', { class: 'events' });
  const nothing = element('p', { class: 'empty' }, empty);
  const node = element('div', { class: 'event-list' }, list, nothing);
  let last = 0;

  /** @param {EventView} event */
  const row = (event) =>
    element('li', { class: 'event' },
      age(event.at),
      element('p', { class: 'event-line' },
        withSession && whose(event),
        withKind && element('code', { class: 'event-kind' }, event.type),
        prose('span', { class: 'event-what' }, whatOf(event))));

  return {
    node,
    /** @param {EventView[]} events newest last */
    update(events) {
      // An older newest event means another history.
      if ((events.at(-1)?.seq ?? 0) < last) this.clear();
      const fresh = events.filter((event) => event.seq > last && wanted(event)).slice(-most);
      last = events.at(-1)?.seq ?? last;
      for (const event of fresh) list.prepend(row(event));
      while (list.children.length > most) list.lastElementChild?.remove();
      nothing.hidden = list.children.length > 0;
    },
    clear() {
      list.replaceChildren();
      last = 0;
    },
  };
}

/**
 * The summary without the name of whose it is, which stands beside it.
 * @param {EventView} event
 */
function whatOf({ session, project, summary }) {
  const prefix = `${session ?? project}: `;
  return `; ${summary}`.replaceAll(`; ${prefix}`, '; ').slice(2);
}

/** @param {EventView} event */
function whose({ session, project }) {
  if (!session) return element('span', { class: 'event-session' }, project ?? '');
  return element('a', { class: 'event-session', href: `#/session/${encodeURIComponent(session)}` }, session);
}

/**
 * Whether an event belongs into a short list.
 * @param {EventView} event
 */
export const isNews = (event) => !PULSE.has(event.type) && event.summary !== '';

/**
 * The page of events.
 * @param {Store} store
 * @param {{ filter: () => string, project: () => string }} asked
 */
export function eventsPage(store, asked) {
  let shown = '';
  const list = eventList({
    most: 500, withKind: true, empty: 'No events.',
    wanted: (event) => matches(event, asked.filter()) && (!asked.project() || event.project === asked.project()),
  });
  const count = element('span', { class: 'count' });
  const node = element('section', { class: 'page' },
    element('h1', { class: 'page-title' }, 'Events ', count), list.node);
  return {
    node,
    title: 'Events',
    filtered: true,
    update() {
      const key = `${asked.filter()}\n${asked.project()}`;
      if (key !== shown) list.clear();
      shown = key;
      list.update(store.events);
      setText(count, list.node.querySelectorAll('.event').length);
    },
    close() {},
  };
}

/**
 * @param {EventView} event
 * @param {string} filter
 */
function matches(event, filter) {
  const text = `${event.session ?? ''} ${event.type} ${event.summary}`.toLowerCase();
  return filter.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}
