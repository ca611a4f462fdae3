// The WebSocket of one terminal: opens it, opens it again after a loss, and reads its frames. It draws nothing.

import { sessionPath } from './calls.js';
import { readFrame } from './frames.js';

/**
 * @typedef {'connecting' | 'open' | 'lost' | 'ended'} SocketState
 * @typedef {{ cols?: number, rows?: number, readOnly: boolean }} ViewQuery
 * @typedef {object} Handlers
 * @property {() => ViewQuery} query how the next connection wants to look
 * @property {(frame: import('./frames.js').Frame) => void} onFrame
 * @property {(state: SocketState) => void} onState
 */

/** First and longest wait before the next try, in milliseconds. */
const RETRY_FIRST = 400;
const RETRY_LONGEST = 8000;

/** A connection to a session's terminal that comes back. */
export class TerminalSocket {
  /** @type {WebSocket | null} */
  #socket = null;
  #retry = RETRY_FIRST;
  #timer = 0;
  #over = false;
  #session;
  #to;

  /**
   * @param {string} session
   * @param {Handlers} to
   */
  constructor(session, to) {
    this.#session = session;
    this.#to = to;
  }

  /** Connects, or connects anew with what the query says now. */
  open() {
    this.#drop();
    if (this.#over) return;
    this.#to.onState('connecting');
    const url = new URL(sessionPath(this.#session, '/terminal'), location.href);
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    for (const [name, value] of Object.entries(this.#to.query())) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }) => this.#heard(data);
    socket.onclose = () => this.#lost();
    this.#socket = socket;
  }

  /** @param {Uint8Array<ArrayBuffer>} frame */
  send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(frame);
  }

  close() {
    this.#over = true;
    this.#drop();
  }

  /** @param {unknown} data */
  #heard(data) {
    if (!(data instanceof ArrayBuffer)) return;
    const frame = readFrame(data);
    if (!frame) return;
    if (frame.kind === 'screen') {
      this.#retry = RETRY_FIRST;
      this.#to.onState('open');
    }
    this.#to.onFrame(frame);
    if (frame.kind === 'exited') {
      this.#to.onState('ended');
      this.close();
    }
  }

  #lost() {
    this.#socket = null;
    this.#to.onState('lost');
    this.#timer = window.setTimeout(() => this.open(), this.#retry);
    this.#retry = Math.min(this.#retry * 2, RETRY_LONGEST);
  }

  #drop() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    socket.onclose = null;
    socket.onmessage = null;
    // Browsers call it an error when a connection is closed before it is made.
    if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
    else socket.close();
  }
}
