// The page's beginning: who is here, which page the address asks for, and redrawing it when facts change.

import { makeBar } from './bar.js';
import { boardPage } from './board.js';
import { Refused, SIGNED_OUT } from './calls.js';
import { element, fill } from './element.js';
import { eventsPage } from './eventlog.js';
import { listenForKeys } from './keyboard.js';
import { runsPage } from './runs.js';
import { sessionPage } from './session.js';
import { holdsCode, signIn, signInPage, takeCode } from './signin.js';
import { Store } from './store.js';
import { look } from './statuses.js';

/**
 * @typedef {{ readonly node: HTMLElement, title: string, filtered?: boolean, update: () => void, close: () => void }} Page
 */

const main = /** @type {HTMLElement} */ (document.getElementById('main'));
const bar = /** @type {HTMLElement} */ (document.getElementById('bar'));

begin(takeCode());
addEventListener('hashchange', () => holdsCode() && location.reload());

/** @param {string | null} code */
async function begin(code) {
  try {
    run(await signIn(code));
  } catch (error) {
    const isNews = code !== null || !(error instanceof Refused && error.code === 'denied');
    showSignIn(error, isNews);
  }
}

/**
 * @param {unknown} error
 * @param {boolean} isNews
 */
function showSignIn(error, isNews) {
  fill(bar, element('span', { class: 'brand' }, 'ao'));
  document.title = 'Sign in · ao';
  fill(main, signInPage(error, isNews, run));
}

/** @param {import('./api').WhoAmI} who */
function run(who) {
  const store = new Store();
  const over = new AbortController();
  const top = makeBar(bar, store, who, () => draw());
  const mayWrite = who.role !== 'viewer';
  /** @type {Page | null} */
  let page = null;
  let shownHash = '';
  let loaded = false;

  /** @returns {Page} */
  function pageOf() {
    const [, place = '', id = ''] = location.hash.split('/');
    switch (place) {
      case 'session': return sessionPage(store, decodeURIComponent(id), mayWrite);
      case 'runs': return runsPage(store, top);
      case 'run': return runsPage(store, top, decodeURIComponent(id));
      case 'events': return eventsPage(store, top);
      default: return boardPage(store, top);
    }
  }

  function draw() {
    if (!loaded) return;
    if (page === null || location.hash !== shownHash) {
      page?.close();
      shownHash = location.hash;
      page = pageOf();
      scrollTo(0, 0);
    }
    page.update();
    if (main.firstElementChild !== page.node) {
      fill(main, page.node);
      // What is measured (a terminal) can only be drawn once it is on the page.
      page.update();
    }
    const waiting = top.update(placeOf(location.hash), page.filtered ?? false);
    document.title = `${waiting > 0 ? `(${waiting}) ` : ''}${page.title} · ao`;
  }

  async function load() {
    try {
      await store.start();
    } catch (error) {
      if (!over.signal.aborted) fill(main, unreachable(error, load));
      return;
    }
    loaded = true;
    store.watch(draw);
    draw();
  }

  addEventListener('hashchange', () => {
    draw();
    main.focus({ preventScroll: true });
  }, { signal: over.signal });
  document.addEventListener(SIGNED_OUT, (event) => {
    over.abort();
    page?.close();
    store.close();
    const { code, message, hint } = /** @type {CustomEvent} */ (event).detail;
    showSignIn(new Refused(code, message, hint), true);
  }, { signal: over.signal });
  listenForKeys({
    b: () => go('#/'),
    r: () => go('#/runs'),
    e: () => go('#/events'),
    n: () => goToNext(store),
    '/': top.focusFilter,
    m: () => document.getElementById('message')?.focus(),
    t: () => /** @type {HTMLElement | null} */ (document.querySelector('.xterm-helper-textarea'))?.focus(),
  }, over.signal);
  load();
}

/**
 * The snapshot did not come.
 * @param {unknown} error
 * @param {() => void} again
 */
function unreachable(error, again) {
  const { message, hint } = /** @type {{ message: string, hint?: string }} */ (error);
  return element('div', { class: 'welcome' },
    element('h1', {}, 'Nothing to show'), element('p', {}, message, ' ', hint),
    element('button', { type: 'button', class: 'primary', onclick: again }, 'Try again'));
}

/** @param {string} hash */
function go(hash) {
  location.hash = hash;
}

/** @param {Store} store */
function goToNext(store) {
  const waiting = [...store.sessions.values()].filter((session) => look(session).column === 'needs')
    .sort((a, b) => a.activity.since - b.activity.since);
  const here = waiting.findIndex(({ id }) => location.hash === `#/session/${encodeURIComponent(id)}`);
  const next = waiting[(here + 1) % waiting.length];
  go(next ? `#/session/${encodeURIComponent(next.id)}` : '#/');
}

/**
 * The entry of the bar that an address belongs to.
 * @param {string} hash
 */
function placeOf(hash) {
  if (hash.startsWith('#/run')) return '#/runs';
  if (hash.startsWith('#/events')) return '#/events';
  return '#/';
}
