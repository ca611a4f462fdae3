// The bar at the top: where one is, how many sessions need a person, filters, and whether the page is up to date.

import { element, setAttribute, setText } from './element.js';
import { look } from './statuses.js';

/** @type {[string, string][]} */
const PLACES = [['Board', '#/'], ['Runs', '#/runs'], ['Events', '#/events']];

/** The project that a link is about (`/?project=ID`): read before signing in makes the address short, and chosen once. */
let linked = new URLSearchParams(location.search).get('project') ?? '';

/** @type {Record<import('./store.js').Connection, string>} */
const CONNECTIONS = { loading: 'Loading', live: 'Live', lost: 'Reconnecting' };

/**
 * @param {HTMLElement} node
 * @param {import('./store.js').Store} store
 * @param {import('./api').WhoAmI} who
 * @param {() => void} onAsked the filter or the project changed
 */
export function makeBar(node, store, who, onAsked) {
  const links = PLACES.map(([name, href]) => element('a', { class: 'place', href }, name));
  const filter = element('input', {
    type: 'search', class: 'filter', placeholder: 'Filter', 'aria-label': 'Filter', 'aria-keyshortcuts': '/', oninput: onAsked,
    onkeydown: (event) => {
      if (event.key === 'Escape' && filter.value === '') filter.blur();
    },
  });
  const project = element('select', { class: 'project', 'aria-label': 'Project', onchange: onAsked });
  const connection = element('span', { class: 'connection', role: 'status', title: `Signed in as ${who.name} (${who.role})` });
  const needs = element('span', { class: 'needs', hidden: true });
  links[0]?.append(needs);
  node.replaceChildren(
    element('a', { class: 'brand', href: '#/', 'aria-label': 'ao, board' }, 'ao'),
    element('nav', { class: 'places', 'aria-label': 'Pages' }, ...links),
    element('span', { class: 'space' }),
    who.role === 'viewer' && element('span', { class: 'role' }, 'Look only') || '',
    project, filter, connection);

  return {
    filter: () => filter.value.trim(),
    project: () => project.value,
    focusFilter: () => filter.focus(),
    /**
     * @param {string} href of the page that is shown
     * @param {boolean} filtered whether it can be filtered
     */
    update(href, filtered) {
      filter.hidden = !filtered;
      for (const link of links) setAttribute(link, 'aria-current', link.getAttribute('href') === href && 'page');
      const waiting = [...store.sessions.values()].filter((session) => look(session).column === 'needs').length;
      needs.hidden = waiting === 0;
      setText(needs, waiting);
      needs.title = `${waiting} need you`;
      setText(connection, CONNECTIONS[store.connection]);
      setAttribute(connection, 'data-state', store.connection);
      updateProjects(project, store);
      return waiting;
    },
  };
}

/**
 * @param {HTMLSelectElement} select
 * @param {import('./store.js').Store} store
 */
function updateProjects(select, store) {
  const ids = store.projects.map(({ id }) => id);
  select.hidden = ids.length < 2;
  const shown = [...select.options].slice(1).map(({ value }) => value);
  if (ids.join('\n') === shown.join('\n') && select.options.length > 0) return;
  const chosen = select.value || linked;
  if (ids.includes(linked)) linked = '';
  select.replaceChildren(
    element('option', { value: '' }, 'All projects'), ...ids.map((id) => element('option', { value: id }, id)));
  select.value = ids.includes(chosen) ? chosen : '';
}
