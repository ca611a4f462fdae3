// A live terminal: xterm.js over the session's WebSocket. The daemon's screen comes first, then output; the size is
// always the one that the daemon says, this page only asks for one.

import { FitAddon } from './vendor/addon-fit.mjs';
import { Terminal } from './vendor/xterm.mjs';
import { keysFrame, resizeFrame, seenFrame } from './frames.js';
import { TerminalSocket } from './socket.js';
import { widths } from './widths.js';

/**
 * @typedef {import('./frames.js').Frame} Frame
 * @typedef {import('./frames.js').ExitedFrame} ExitedFrame
 * @typedef {import('./socket.js').SocketState} SocketState
 * @typedef {object} Told
 * @property {(state: SocketState) => void} onState
 * @property {(cols: number, rows: number, history: number) => void} onSize
 * @property {(exited: ExitedFrame) => void} onExited
 * @property {() => void} onLeave the person wants out of the terminal by keyboard
 */

const FONT_SIZE = 13;
/** Below this the letters of a terminal that is only looked at cannot be read; it is scrolled instead. */
const FONT_SMALLEST = 8.5;
/** Rows that can be scrolled back here; older ones are in the log. */
const SCROLLBACK = 5000;
/** A window that is being dragged is asked for a size once it rests this long, in milliseconds. */
const REST = 150;
/** What was drawn is told at most this often, in milliseconds: far within the 256 KB that a viewer may be behind. */
const SEEN_EVERY = 50;

/** Colours of a dark terminal in both themes: agents choose theirs for a dark one. */
const THEME = {
  background: '#101214', foreground: '#d6d9de', cursor: '#d6d9de', cursorAccent: '#101214',
  selectionBackground: '#3b4a63', selectionInactiveBackground: '#2c333d',
  black: '#1b1f24', red: '#f2777a', green: '#7fc99a', yellow: '#e3c078', blue: '#7aa7f0', magenta: '#c59bea',
  cyan: '#70c5ce', white: '#d6d9de', brightBlack: '#7b828c', brightRed: '#ff9b9e', brightGreen: '#9be0b3',
  brightYellow: '#f4d694', brightBlue: '#9ec0ff', brightMagenta: '#dbb8f7', brightCyan: '#95dfe6', brightWhite: '#ffffff',
  scrollbarSliderBackground: '#ffffff22', scrollbarSliderHoverBackground: '#ffffff38',
  scrollbarSliderActiveBackground: '#ffffff50',
};

/** One terminal on the page. */
export class LiveTerminal {
  #box;
  #told;
  #readOnly;
  #term;
  #fit = new FitAddon();
  #socket;
  /** @type {Frame[]} */
  #waiting = [];
  /** Writes that xterm.js has not drawn yet. */
  #writing = 0;
  #seen = 0;
  #seenTimer = 0;
  #restTimer = 0;
  #encoder = new TextEncoder();
  #watcher = new ResizeObserver(() => this.#boxChanged());

  /**
   * @param {HTMLElement} box
   * @param {string} session
   * @param {boolean} readOnly
   * @param {Told} told
   */
  constructor(box, session, readOnly, told) {
    this.#box = box;
    this.#told = told;
    this.#readOnly = readOnly;
    this.#term = new Terminal({
      fontSize: FONT_SIZE,
      fontFamily: "ui-monospace, 'SF Mono', Menlo, 'Cascadia Mono', 'JetBrains Mono', 'DejaVu Sans Mono', monospace",
      theme: THEME,
      scrollback: SCROLLBACK,
      disableStdin: readOnly,
      cursorInactiveStyle: 'outline',
      // For the widths below alone.
      allowProposedApi: true,
    });
    this.#term.loadAddon(this.#fit);
    // Characters take as many columns as on the host's screen; the table that comes with xterm.js is of 2016.
    this.#term.unicode.register(widths);
    this.#term.unicode.activeVersion = widths.version;
    this.#term.open(box);
    this.#term.attachCustomKeyEventHandler((event) => this.#isForAgent(event));
    this.#term.onData((text) => this.#keys(this.#encoder.encode(text)));
    this.#term.onBinary((text) => this.#keys(Uint8Array.from(text, (char) => char.charCodeAt(0))));
    this.#socket = new TerminalSocket(session, {
      query: () => this.#query(),
      onFrame: (frame) => this.#take(frame),
      onState: (state) => told.onState(state),
    });
    this.#socket.open();
    this.#watcher.observe(box);
  }

  focus() {
    this.#term.focus();
  }

  /**
   * Looking leaves the size to others; typing asks for the size of this window.
   * @param {boolean} readOnly
   */
  setReadOnly(readOnly) {
    if (this.#readOnly === readOnly) return;
    this.#readOnly = readOnly;
    this.#term.options.disableStdin = readOnly;
    this.#socket.open();
  }

  close() {
    clearTimeout(this.#seenTimer);
    clearTimeout(this.#restTimer);
    this.#watcher.disconnect();
    this.#socket.close();
    this.#term.dispose();
  }

  /** @returns {import('./socket.js').ViewQuery} */
  #query() {
    return this.#readOnly ? { readOnly: true } : { ...this.#wanted(), readOnly: false };
  }

  /** The size that fills the box with letters of the usual size. */
  #wanted() {
    this.#term.options.fontSize = FONT_SIZE;
    return this.#fit.proposeDimensions();
  }

  /** @param {Frame} frame */
  #take(frame) {
    if (frame.kind === 'exited') this.#told.onExited(frame);
    else {
      this.#waiting.push(frame);
      this.#draw();
    }
  }

  /** Draws in order. A screen starts anew, so it waits until all before it is drawn. */
  #draw() {
    for (;;) {
      const frame = this.#waiting[0];
      if (!frame || (frame.kind !== 'output' && this.#writing > 0)) return;
      this.#waiting.shift();
      if (frame.kind === 'screen') {
        this.#term.reset();
        this.#resize(frame.cols, frame.rows);
        this.#told.onSize(frame.cols, frame.rows, frame.history);
        this.#write(frame.bytes, frame.offset);
      } else if (frame.kind === 'output') {
        this.#write(frame.bytes, frame.offset);
      } else if (frame.kind === 'resized') {
        this.#resize(frame.cols, frame.rows);
        this.#told.onSize(frame.cols, frame.rows, -1);
      }
    }
  }

  /**
   * @param {Uint8Array} bytes
   * @param {number} end offset after these bytes
   */
  #write(bytes, end) {
    this.#writing += 1;
    this.#term.write(bytes, () => {
      this.#writing -= 1;
      this.#seen = Math.max(this.#seen, end);
      this.#seenTimer ||= window.setTimeout(() => {
        this.#seenTimer = 0;
        this.#socket.send(seenFrame(this.#seen));
      }, SEEN_EVERY);
      this.#draw();
    });
  }

  /**
   * @param {number} cols
   * @param {number} rows
   */
  #resize(cols, rows) {
    this.#term.resize(cols, rows);
    this.#scale();
  }

  /** Makes the letters smaller when the terminal is wider than the box: somebody else chose its size. */
  #scale() {
    this.#term.options.fontSize = FONT_SIZE;
    const room = this.#fit.proposeDimensions();
    if (!room || room.cols >= this.#term.cols) return;
    const size = Math.floor((FONT_SIZE * room.cols * 4) / this.#term.cols) / 4;
    this.#term.options.fontSize = Math.max(FONT_SMALLEST, size);
  }

  #boxChanged() {
    clearTimeout(this.#restTimer);
    this.#restTimer = window.setTimeout(() => {
      if (this.#box.clientWidth === 0) return;
      if (!this.#readOnly) {
        const wanted = this.#wanted();
        if (wanted && (wanted.cols !== this.#term.cols || wanted.rows !== this.#term.rows)) {
          this.#socket.send(resizeFrame(wanted.cols, wanted.rows));
        }
      }
      this.#scale();
    }, REST);
  }

  /** @param {Uint8Array} bytes */
  #keys(bytes) {
    if (!this.#readOnly) this.#socket.send(keysFrame(bytes));
  }

  /**
   * Every key is the agent's but one: without it nobody could leave the terminal by keyboard.
   * @param {KeyboardEvent} event
   */
  #isForAgent(event) {
    if (event.key !== 'F6') return true;
    if (event.type === 'keydown') this.#told.onLeave();
    event.preventDefault();
    return false;
  }
}
