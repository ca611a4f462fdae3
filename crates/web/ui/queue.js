// The merge queues above the column of what waits to land: what is being tried, what waits, what blocks.

import { element, fill } from './element.js';
import { sign } from './signs.js';

/**
 * @typedef {import('./api').QueueView} QueueView
 * @typedef {import('./store.js').Store} Store
 */

/** @type {Record<string, string>} */
const STAGES = {
  building: 'Building the candidate', gating: 'Gate runs', comparing: 'Comparing with the target', landing: 'Landing',
};

/** @param {Store} store */
export function queuePanel(store) {
  const node = element('div', { class: 'queues' });
  let drawn = '';
  return {
    node,
    /** @param {string} project */
    update(project) {
      const queues = [...store.queues.values()]
        .filter((queue) => (!project || queue.projectId === project) && isBusy(queue));
      const now = JSON.stringify(queues);
      if (now === drawn) return;
      drawn = now;
      fill(node, ...queues.map((queue) => panel(queue, store.queues.size > 1)));
    },
  };
}

/** @param {QueueView} queue */
const isBusy = (queue) => queue.batch.length > 0 || queue.waiting.length > 0 || Boolean(queue.blocked);

/**
 * @param {QueueView} queue
 * @param {boolean} withProject
 */
function panel(queue, withProject) {
  const onto = withProject ? `${queue.projectId} / ${queue.target}` : queue.target;
  const counts = [
    queue.batch.length > 0 && `${queue.batch.length} tried`,
    queue.waiting.length > 0 && `${queue.waiting.length} waiting`,
  ].filter(Boolean).join(', ');
  return element('div', { class: 'queue' },
    element('p', { class: 'queue-head' },
      sign('queue'), element('span', {}, 'onto ', element('b', {}, onto)), element('span', { class: 'queue-counts' }, counts)),
    queue.stage && element('p', { class: 'queue-stage tone-queue' }, sign('checking'), STAGES[queue.stage] ?? queue.stage),
    queue.blocked && element('p', { class: 'queue-blocked tone-bad' }, sign('warn'), queue.blocked));
}
