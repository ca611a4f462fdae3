// How each status of the daemon is shown. The daemon decides the status and who needs a person; this is a table of words
// and places.

/**
 * @typedef {'needs' | 'working' | 'merge' | 'done'} Column
 * @typedef {'work' | 'ask' | 'bad' | 'good' | 'queue' | 'quiet'} Tone
 * @typedef {{ word: string, column: Column, tone: Tone, sign: string, quiet?: boolean }} Look
 */

/** @type {Record<string, Look>} */
const LOOKS = {
  spawning: { word: 'Starting', column: 'working', tone: 'work', sign: 'starting' },
  working: { word: 'Working', column: 'working', tone: 'work', sign: 'working' },
  ci_pending: { word: 'Checking', column: 'working', tone: 'work', sign: 'checking' },
  ci_failed: { word: 'Check failed', column: 'working', tone: 'bad', sign: 'cross' },
  merge_conflict: { word: 'Conflict', column: 'working', tone: 'bad', sign: 'conflict' },
  changes_requested: { word: 'Changes wanted', column: 'working', tone: 'ask', sign: 'ask' },
  rate_limited: { word: 'Limit reached', column: 'working', tone: 'ask', sign: 'limit', quiet: true },
  detecting: { word: 'Not known', column: 'working', tone: 'quiet', sign: 'unknown', quiet: true },
  idle: { word: 'Idle', column: 'working', tone: 'quiet', sign: 'idle', quiet: true },
  cleanup: { word: 'Stopping', column: 'working', tone: 'quiet', sign: 'leaving', quiet: true },
  needs_input: { word: 'Needs you', column: 'working', tone: 'ask', sign: 'ask' },
  auth_required: { word: 'Needs a login', column: 'working', tone: 'ask', sign: 'key' },
  stuck: { word: 'Stuck', column: 'working', tone: 'bad', sign: 'warn' },
  errored: { word: 'Error', column: 'working', tone: 'bad', sign: 'cross' },
  spawn_failed: { word: 'Did not start', column: 'working', tone: 'bad', sign: 'cross' },
  terminated: { word: 'Process lost', column: 'working', tone: 'bad', sign: 'cross' },
  pr_open: { word: 'Open', column: 'merge', tone: 'queue', sign: 'pull' },
  review_pending: { word: 'In review', column: 'merge', tone: 'queue', sign: 'pull' },
  approved: { word: 'Approved', column: 'merge', tone: 'good', sign: 'done' },
  mergeable: { word: 'Ready to merge', column: 'merge', tone: 'good', sign: 'done' },
  in_merge_queue: { word: 'In the merge queue', column: 'merge', tone: 'queue', sign: 'queue' },
  merged: { word: 'Merged', column: 'done', tone: 'good', sign: 'merged' },
  done: { word: 'Done', column: 'done', tone: 'good', sign: 'done' },
  killed: { word: 'Stopped', column: 'done', tone: 'quiet', sign: 'stopped' },
};

/**
 * The columns of the board, the most urgent first.
 * @type {{ column: Column, title: string, empty: string }[]}
 */
export const COLUMNS = [
  { column: 'needs', title: 'Needs you', empty: 'Nobody needs you.' },
  { column: 'working', title: 'Working', empty: 'No agent is working.' },
  { column: 'merge', title: 'Merge', empty: 'Nothing waits to land.' },
  { column: 'done', title: 'Done', empty: 'Nothing has ended yet.' },
];

/**
 * How a session is shown. A status that a newer daemon knows and this page does not is shown by its own name, where a
 * person will see it. Who needs a person is in the first column, else what has ended is in the last one, with the sign of how
 * it ended.
 * @param {import('./api').SessionView} session
 * @returns {Look}
 */
export function look(session) {
  const known = LOOKS[session.status] ?? {
    word: session.status.replaceAll('_', ' '), column: 'needs', tone: 'quiet', sign: 'unknown',
  };
  if (session.needsPerson) return { ...known, column: 'needs' };
  return session.ended ? { ...known, column: 'done' } : known;
}

/** @type {Record<string, { word: string, tone: Tone, sign: string }>} */
const TASK_LOOKS = {
  waiting: { word: 'Waiting', tone: 'quiet', sign: 'checking' },
  active: { word: 'Active', tone: 'work', sign: 'working' },
  landed: { word: 'Landed', tone: 'good', sign: 'merged' },
  given_up: { word: 'Given up', tone: 'bad', sign: 'warn' },
};

/** @type {Record<string, { word: string, tone: Tone, sign: string }>} */
const RUN_LOOKS = {
  checking: { word: 'Reading failures', tone: 'work', sign: 'checking' },
  working: { word: 'Working', tone: 'work', sign: 'working' },
  verifying: { word: 'Verifying', tone: 'work', sign: 'checking' },
  green: { word: 'Green', tone: 'good', sign: 'done' },
  red: { word: 'Red', tone: 'bad', sign: 'cross' },
  dry_run: { word: 'Dry run', tone: 'quiet', sign: 'idle' },
  cancelled: { word: 'Cancelled', tone: 'quiet', sign: 'stopped' },
  failed: { word: 'Failed', tone: 'bad', sign: 'warn' },
};

/** @param {string} state */
export const taskLook = (state) => TASK_LOOKS[state] ?? { word: state, tone: 'quiet', sign: 'unknown' };

/** @param {import('./api').RunView} run */
export function runLook(run) {
  const name = run.outcome ?? run.state;
  return RUN_LOOKS[name] ?? { word: name.replaceAll('_', ' '), tone: 'quiet', sign: 'unknown' };
}
