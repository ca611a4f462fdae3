// One event stream per browser: the tab that holds a lock follows the daemon and tells the others, because browsers
// allow six connections to an origin and a stream takes one for good. What events mean is the store's business.

/**
 * @typedef {import('./api').EventView} EventView
 * @typedef {'live' | 'lost'} StreamState
 * @typedef {{ event: string } | { state: StreamState } | { ask: true }} Told
 * @typedef {object} Follower
 * @property {() => number} since sequence number of the last event that is known
 * @property {(event: EventView) => void} onEvent
 * @property {(state: StreamState) => void} onState
 */

const NAME = 'ao-events';
/** First and longest wait before a stream that the browser gave up is opened again, in milliseconds. */
const RETRY_FIRST = 500;
const RETRY_LONGEST = 10_000;

/**
 * Hears what other tabs tell. `start` is called when the snapshot is there; from then on this tab may become the one
 * that follows the daemon. Listening before the snapshot is taken loses nothing in between.
 * @param {Follower} follower
 * @returns {{ start: () => void, close: () => void }}
 */
export function follow(follower) {
  const closing = new AbortController();
  const channel = 'BroadcastChannel' in window ? new BroadcastChannel(NAME) : null;
  /** @type {StreamState | null} */
  let leading = null;
  /** @param {Told} told */
  const tell = (told) => channel?.postMessage(told);
  if (channel) {
    channel.onmessage = ({ data }) => {
      const told = /** @type {Told} */ (data);
      if ('event' in told) follower.onEvent(JSON.parse(told.event));
      else if ('state' in told && !leading) follower.onState(told.state);
      else if ('ask' in told && leading) tell({ state: leading });
    };
  }
  const lead = () =>
    new Promise((done) => {
      if (closing.signal.aborted) return done(undefined);
      const stream = openStream({
        since: follower.since,
        onText: (text) => {
          follower.onEvent(JSON.parse(text));
          tell({ event: text });
        },
        onState: (state) => {
          leading = state;
          follower.onState(state);
          tell({ state });
        },
      });
      closing.signal.addEventListener('abort', () => {
        stream.close();
        done(undefined);
      });
    });
  return {
    start() {
      tell({ ask: true });
      // Locks are missing where the page is not in a secure context: then each tab follows for itself.
      if (channel && navigator.locks) {
        navigator.locks.request(NAME, { signal: closing.signal }, lead).catch(() => {});
      } else {
        lead();
      }
    },
    close() {
      closing.abort();
      channel?.close();
    },
  };
}

/**
 * Keeps an EventSource open. The browser repeats short losses by itself, with `Last-Event-ID`; where it gives up (the
 * daemon answered with an error), a new one starts after the last known event.
 * @param {{ since: () => number, onText: (text: string) => void, onState: (state: StreamState) => void }} to
 */
function openStream({ since, onText, onState }) {
  /** @type {EventSource | null} */
  let source = null;
  let retry = RETRY_FIRST;
  let timer = 0;
  const open = () => {
    source = new EventSource(`/api/events?since=${since()}`);
    source.onopen = () => {
      retry = RETRY_FIRST;
      onState('live');
    };
    source.onmessage = ({ data }) => onText(data);
    source.onerror = () => {
      onState('lost');
      if (source?.readyState !== EventSource.CLOSED) return;
      timer = window.setTimeout(open, retry);
      retry = Math.min(retry * 2, RETRY_LONGEST);
    };
  };
  open();
  return {
    close() {
      clearTimeout(timer);
      source?.close();
    },
  };
}
