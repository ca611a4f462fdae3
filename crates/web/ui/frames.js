// The frames of the terminal's WebSocket, as crates/api/src/terminal.rs defines them. It opens nothing.

/** The first byte of a frame. */
export const FRAME = { screen: 0, output: 1, resized: 2, exited: 3, keys: 16, resize: 17, seen: 18 };

/** Bytes before the escape sequences of a screen: kind, cols, rows, history, offset. */
const SCREEN_HEAD = 1 + 2 + 2 + 8 + 8;
/** Bytes before the output of an output frame: kind, offset. */
const OUTPUT_HEAD = 1 + 8;

/**
 * Offsets count the bytes that the agent wrote: the one of a frame is where it stands after what the frame shows.
 * @typedef {{ kind: 'screen', cols: number, rows: number, history: number, offset: number, bytes: Uint8Array }} ScreenFrame
 * @typedef {{ kind: 'output', offset: number, bytes: Uint8Array }} OutputFrame
 * @typedef {{ kind: 'resized', cols: number, rows: number }} ResizedFrame
 * @typedef {{ kind: 'exited', code: number | null, signal: number | null, why: string | null }} ExitedFrame
 * @typedef {ScreenFrame | OutputFrame | ResizedFrame | ExitedFrame} Frame
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Reads a frame from the daemon; `null` for one that this page does not know or that is too short.
 * @param {ArrayBuffer} buffer
 * @returns {Frame | null}
 */
export function readFrame(buffer) {
  const view = new DataView(buffer);
  if (view.byteLength === 0) return null;
  switch (view.getUint8(0)) {
    case FRAME.screen:
      if (view.byteLength < SCREEN_HEAD) return null;
      return {
        kind: 'screen',
        cols: view.getUint16(1),
        rows: view.getUint16(3),
        history: Number(view.getBigUint64(5)),
        offset: Number(view.getBigUint64(13)),
        bytes: new Uint8Array(buffer, SCREEN_HEAD),
      };
    case FRAME.output:
      if (view.byteLength < OUTPUT_HEAD) return null;
      return { kind: 'output', offset: Number(view.getBigUint64(1)), bytes: new Uint8Array(buffer, OUTPUT_HEAD) };
    case FRAME.resized:
      return { kind: 'resized', ...JSON.parse(decoder.decode(new Uint8Array(buffer, 1))) };
    case FRAME.exited:
      return { kind: 'exited', ...JSON.parse(decoder.decode(new Uint8Array(buffer, 1))) };
    default:
      return null;
  }
}

/**
 * @param {Uint8Array} bytes
 */
export const keysFrame = (bytes) => frame(FRAME.keys, bytes);

/**
 * @param {number} cols
 * @param {number} rows
 */
export const resizeFrame = (cols, rows) => frame(FRAME.resize, encoder.encode(JSON.stringify({ cols, rows })));

/**
 * Everything before `offset` was shown.
 * @param {number} offset
 */
export const seenFrame = (offset) => frame(FRAME.seen, encoder.encode(JSON.stringify({ offset })));

/**
 * @param {number} kind
 * @param {Uint8Array} bytes
 */
function frame(kind, bytes) {
  const made = new Uint8Array(1 + bytes.length);
  made[0] = kind;
  made.set(bytes, 1);
  return made;
}
