// Runs: what a check found broken, who mends it, and how far that is.

import { age, took } from './ages.js';
import { breakable, element, fill, prose, setAttribute } from './element.js';
import { sign } from './signs.js';
import { look, runLook, taskLook } from './statuses.js';

/**
 * @typedef {import('./api').RunView} RunView
 * @typedef {import('./api').SessionView} SessionView
 * @typedef {import('./api').TaskView} TaskView
 * @typedef {import('./store.js').Store} Store
 */

/** The states of a task in the order of the bar, the best first. */
const STATES = ['landed', 'active', 'waiting', 'given_up'];

/**
 * All runs, or one.
 * @param {Store} store
 * @param {{ project: () => string }} asked
 * @param {string} [only]
 */
export function runsPage(store, asked, only) {
  const list = element('div', { class: 'runs' });
  const node = element('section', { class: 'page' },
    element('h1', { class: 'page-title' }, only ? `Run ${only}` : 'Runs'), list);
  /** @type {Map<string, { from: string, node: HTMLElement }>} */
  const drawn = new Map();
  return {
    node,
    title: only ?? 'Runs',
    update() {
      const project = asked.project();
      const runs = [...store.runs.values()]
        .filter((run) => (only ? run.id === only : !project || run.projectId === project))
        .sort((a, b) => b.startedAt - a.startedAt);
      const nodes = runs.map((run) => {
        const sessions = run.tasks.map((task) => store.sessions.get(task.session ?? ''));
        const from = JSON.stringify([run, sessions.map((session) => session?.status)]);
        const known = drawn.get(run.id);
        if (known?.from === from) return known.node;
        const made = { from, node: drawRun(run, sessions) };
        drawn.set(run.id, made);
        return made.node;
      });
      const same = nodes.length === list.children.length && nodes.every((made, at) => list.children[at] === made);
      if (!same || nodes.length === 0) fill(list, ...(nodes.length > 0 ? nodes : [nothing(only)]));
    },
    close() {},
  };
}

/** @param {string} [only] */
function nothing(only) {
  if (only) return element('p', { class: 'empty' }, `There is no run ${only}.`);
  return element('div', { class: 'welcome' },
    element('h2', {}, 'No runs yet'),
    element('p', {}, 'A run reads the failures of a check, gives each to an agent of its own, and merges what is green.'),
    element('pre', {}, 'ao fix --check "cargo test"'));
}

/**
 * @param {RunView} run
 * @param {(SessionView | undefined)[]} sessions of its tasks
 */
function drawRun(run, sessions) {
  const shown = runLook(run);
  const lasted = run.endedAt ? took(run.endedAt - run.startedAt) : null;
  return element('article', { class: 'run', 'aria-label': `Run ${run.id}` },
    element('header', { class: 'run-head' },
      element('span', { class: `status tone-${shown.tone}` }, sign(shown.sign), shown.word),
      element('h2', { class: 'run-check' }, element('code', {}, run.check)),
      element('p', { class: 'run-facts' },
        element('span', {}, run.projectId),
        element('span', { class: 'branch' }, sign('branch'), element('bdi', {}, run.target)),
        element('span', {}, run.id),
        element('span', {}, `round ${run.rounds}`),
        lasted ? element('span', {}, `took ${lasted}`) : element('span', {}, 'for ', age(run.startedAt)),
        run.commit && element('code', { title: run.commit }, run.commit.slice(0, 7)))),
    run.fault && element('p', { class: 'run-fault tone-bad' }, sign('warn'), element('span', {}, run.fault.message,
      run.fault.hint && element('span', { class: 'hint' }, run.fault.hint))),
    run.left !== undefined && element('p', { class: 'run-fault tone-bad' }, sign('cross'), `${run.left} failures are left.`),
    ...(run.notes ?? []).map((note) => prose('p', { class: 'run-note' }, note)),
    run.tasks.length > 0 && progress(run),
    run.tasks.length > 0 && table(run.tasks, sessions));
}

/** @param {RunView} run */
function progress(run) {
  const parts = STATES.map((state) => ({ state, count: run.tasks.filter((task) => task.state === state).length }))
    .filter(({ count }) => count > 0);
  return element('div', { class: 'progress' },
    element('div', { class: 'progress-bar', 'aria-hidden': 'true' }, ...parts.map(({ state, count }) => {
      const part = element('span', { class: `progress-part tone-${taskLook(state).tone}`, 'data-state': state });
      part.style.flexGrow = String(count);
      return part;
    })),
    element('p', { class: 'progress-words' }, ...parts.map(({ state, count }) => {
      const { sign: name, tone, word } = taskLook(state);
      return element('span', { class: `tone-${tone}` }, sign(name), `${count} ${word.toLowerCase()}`);
    })));
}

/**
 * @param {TaskView[]} tasks
 * @param {(SessionView | undefined)[]} sessions
 */
function table(tasks, sessions) {
  const names = ['Failure', 'State', 'Session', 'Attempts', 'Time', 'Commit'];
  return element('table', { class: 'tasks' },
    element('thead', {}, element('tr', {}, ...names.map((name) => element('th', { scope: 'col' }, name)))),
    element('tbody', {}, ...tasks.map((task, at) => row(task, sessions[at]))));
}

/**
 * @param {TaskView} task
 * @param {SessionView | undefined} session
 */
function row(task, session) {
  // While it is being mended, how its session stands says more than that it is active.
  const isActive = task.state === 'active' && session !== undefined;
  const shown = isActive ? look(session) : taskLook(task.state);
  const more = task.failures.filter((name) => name !== task.title);
  const made = element('tr', {},
    cell('Failure', prose('span', { class: 'task-title' }, task.title),
      more.length > 0 && element('small', { class: 'code', dir: 'auto' }, ...breakable(more.join(', ')))),
    cell('State', element('span', { class: `status tone-${shown.tone}` }, sign(shown.sign), shown.word),
      task.why && prose('small', {}, task.why)),
    cell('Session', task.session
      && element('a', { href: `#/session/${encodeURIComponent(task.session)}` }, task.session)),
    cell('Attempts', task.attempts > 0 && task.attempts),
    cell('Time', task.tookMs !== undefined ? took(task.tookMs) : isActive && age(session.createdAt, 'Since')),
    cell('Commit', task.commit && element('code', { title: task.commit }, task.commit.slice(0, 7))));
  setAttribute(made, 'data-state', task.state);
  return made;
}

/**
 * @param {string} name of the column, shown where there is no room for columns
 * @param {...import('./element.js').Child} children
 */
const cell = (name, ...children) => element('td', { 'data-name': name, 'data-none': !children.some(Boolean) }, ...children);
