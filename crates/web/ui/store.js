// What the page knows: a snapshot of the daemon's facts, kept fresh by its events. It decides nothing; a session's
// status is what the daemon says it is.

import { follow } from './events.js';
import { get } from './calls.js';

/**
 * @typedef {import('./api').SessionView} SessionView
 * @typedef {import('./api').RunView} RunView
 * @typedef {import('./api').QueueView} QueueView
 * @typedef {import('./api').ProjectView} ProjectView
 * @typedef {import('./api').EventView} EventView
 * @typedef {'loading' | 'live' | 'lost'} Connection
 */

/** Events kept for the log; older ones are in `ao events`. */
const MOST_EVENTS = 500;
/** Events that are asked for at the start. */
const FIRST_EVENTS = 200;
/** Changes within this time are drawn together, in milliseconds: one frame. */
const TOGETHER = 16;
/** First and longest wait before a snapshot is asked for again, in milliseconds. */
const FIRST_RETRY = 500;
const LAST_RETRY = 10_000;

/** The daemon's facts in the browser. */
export class Store {
  /** @type {Map<string, SessionView>} */
  sessions = new Map();
  /** @type {Map<string, RunView>} */
  runs = new Map();
  /** @type {Map<string, QueueView>} */
  queues = new Map();
  /** @type {ProjectView[]} */
  projects = [];
  /** @type {EventView[]} newest last */
  events = [];
  /** @type {Connection} */
  connection = 'loading';
  /** Sequence number of the last event that is in the facts. */
  seq = 0;

  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {EventView[] | null} events that came before the snapshot */
  #early = [];
  #due = 0;
  #stream = follow({
    since: () => this.seq,
    onEvent: (event) => this.#take(event),
    onState: (state) => this.#connected(state),
  });

  /** Loads the snapshot and follows from there. */
  async start() {
    await this.#load();
    this.#stream.start();
  }

  close() {
    this.#stream.close();
    this.#listeners.clear();
  }

  /**
   * Calls `listener` after changes, at most once a frame.
   * @param {() => void} listener
   * @returns {() => void} ends it
   */
  watch(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * The task that a session works on, in whatever run.
   * @param {SessionView} session
   */
  taskOf(session) {
    const run = session.run ? this.runs.get(session.run) : undefined;
    return run?.tasks.find((task) => task.session === session.id);
  }

  /**
   * Where a session's pull request stands in its queue.
   * @param {SessionView} session
   * @returns {{ stage: string } | { place: number, of: number } | null}
   */
  placeOf(session) {
    if (!session.pr) return null;
    const queue = this.queues.get(session.projectId);
    if (!queue) return null;
    if (queue.batch.some((entry) => entry.pr === session.pr?.id)) return { stage: queue.stage ?? 'building' };
    const at = queue.waiting.findIndex((entry) => entry.pr === session.pr?.id);
    return at < 0 ? null : { place: at + 1, of: queue.waiting.length };
  }

  async #load() {
    this.#early ??= [];
    // The sessions first: their sequence number is where the stream starts, and what is read later is never older.
    const { sessions, seq } = await get('/api/sessions?all=true');
    const [runs, queues, projects, recent] = await Promise.all([
      get('/api/runs'),
      get('/api/merge-queue'),
      get('/api/projects'),
      get(`/api/events?follow=false&limit=${FIRST_EVENTS}`),
    ]);
    this.sessions = new Map(sessions.map((/** @type {SessionView} */ view) => [view.id, view]));
    this.runs = new Map(runs.runs.map((/** @type {RunView} */ view) => [view.id, view]));
    this.queues = new Map(queues.queues.map((/** @type {QueueView} */ view) => [view.projectId, view]));
    this.projects = projects.projects;
    this.seq = seq;
    this.events = recent.events.filter((/** @type {EventView} */ event) => event.seq <= seq);
    const early = this.#early;
    this.#early = null;
    for (const event of early) this.#take(event);
    this.#changed();
  }

  /** @param {EventView} event */
  #take(event) {
    if (this.#early) {
      this.#early.push(event);
      return;
    }
    if (event.seq <= this.seq) return;
    this.seq = event.seq;
    for (const view of event.sessions ?? []) {
      // One that was archived leaves the page as it leaves every list.
      if (view.archivedAt) this.sessions.delete(view.id);
      else this.sessions.set(view.id, view);
    }
    for (const view of event.runs ?? []) this.runs.set(view.id, view);
    for (const view of event.queues ?? []) this.queues.set(view.projectId, view);
    this.events.push(event);
    if (this.events.length > MOST_EVENTS) this.events.splice(0, this.events.length - MOST_EVENTS);
    if (event.type === 'project_configured' || event.type === 'project_removed') this.#loadProjects();
    this.#changed();
  }

  async #loadProjects() {
    try {
      this.projects = (await get('/api/projects')).projects;
      this.#changed();
    } catch {
      // The next snapshot brings them.
    }
  }

  /** @param {'live' | 'lost'} state */
  #connected(state) {
    const before = this.connection;
    if (before === state) return;
    this.connection = state;
    this.#changed();
    // After a loss the daemon may be another one, with another history: begin anew.
    if (before === 'lost' && state === 'live') this.#reload(FIRST_RETRY);
  }

  /** @param {number} wait milliseconds before the next try when this one fails */
  #reload(wait) {
    this.#load().catch(() => setTimeout(() => this.#reload(Math.min(wait * 2, LAST_RETRY)), wait));
  }

  #changed() {
    if (this.#due) return;
    this.#due = window.setTimeout(() => {
      this.#due = 0;
      for (const listener of this.#listeners) listener();
    }, TOGETHER);
  }
}
