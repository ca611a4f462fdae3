// Holds the screen engine against xterm.js: compare.mjs < output of the example `replay`.
// At every report: the text and cursor of both, then a fresh xterm.js given the snapshot against the one that saw every
// byte (cells with colours and attributes, cursor, modes), at once and again 4 KB later.
// --blank-underscore is for streams that show the whole of DEC special graphics.
// It stops at the first difference, or, with --all, counts them and prints one for each stream.
import { createInterface } from 'node:readline';
import { widths } from './widths.mjs';
import xterm from '@xterm/headless';

const AHEAD = 4096;
const all = process.argv.includes('--all');
// xterm.js draws _ where DEC special graphics has a blank (docs/fidelity.md).
const blank = process.argv.includes('--blank-underscore') ? (text) => text.replaceAll('_', ' ') : (text) => text;

// The widths of the page's terminal, unless a stream asks for those that xterm.js has of its own.
function make(cols, rows, ownWidths) {
  const terminal = new xterm.Terminal({ cols, rows, allowProposedApi: true, scrollback: 0, logLevel: 'off' });
  if (!ownWidths) {
    terminal.unicode.register(widths);
    terminal.unicode.activeVersion = widths.version;
  }
  return terminal;
}

const write = (terminal, data) => new Promise((done) => terminal.write(data, done));

const look = (cell) => ({
  chars: blank(cell.getChars()) || ' ',
  width: cell.getWidth(),
  fg: [cell.getFgColorMode(), cell.getFgColor()].join(),
  bg: [cell.getBgColorMode(), cell.getBgColor()].join(),
  attrs: ['isBold', 'isDim', 'isItalic', 'isUnderline', 'isBlink', 'isInverse', 'isInvisible', 'isStrikethrough', 'isOverline']
    .filter((name) => cell[name]?.()).join(),
});

function state(terminal) {
  const buffer = terminal.buffer.active;
  const cells = [];
  for (let y = 0; y < terminal.rows; y++) {
    const line = buffer.getLine(buffer.baseY + y);
    for (let x = 0; x < terminal.cols; x++) cells.push(JSON.stringify(look(line.getCell(x))));
  }
  const { mouseTrackingMode, ...modes } = terminal.modes;
  return {
    cells,
    rest: JSON.stringify({ type: buffer.type, x: buffer.cursorX, y: buffer.cursorY, mouseTrackingMode, ...modes }),
  };
}

function compare(what, a, b, cols) {
  if (a.rest !== b.rest) throw new Error(`${what}: ${a.rest} and ${b.rest}`);
  const at = a.cells.findIndex((cell, index) => cell !== b.cells[index]);
  if (at >= 0) throw new Error(`${what}: cell ${Math.floor(at / cols)},${at % cols}: ${a.cells[at]} and ${b.cells[at]}`);
}

class Stream {
  constructor({ stream, size, ownWidths }) {
    this.name = stream;
    this.size = size;
    this.ownWidths = ownWidths;
    this.live = this.make();
    this.bytes = Buffer.alloc(0);
    this.at = 0;
    this.copies = [];
    this.compared = 0;
  }

  make() {
    return make(...this.size, this.ownWidths);
  }

  async report(report) {
    if (report.size.join() !== this.size.join()) {
      // What a change of size does to the text is not the same in any two terminals: begin again from the snapshot.
      this.size = report.size;
      this.live = this.make();
      await write(this.live, report.snapshot);
      this.bytes = this.bytes.subarray(report.ground - this.at);
      this.at = report.ground;
      this.copies = [];
    }
    const next = this.bytes.subarray(0, report.ground - this.at);
    this.bytes = this.bytes.subarray(report.ground - this.at);
    await write(this.live, next);
    for (const copy of this.copies) await write(copy.terminal, next);
    this.at = report.ground;
    const now = state(this.live);
    const [cols] = this.size;
    const buffer = this.live.buffer.active;
    for (const [y, text] of report.rows.entries()) {
      const seen = blank(buffer.getLine(buffer.baseY + y).translateToString(true)).trimEnd();
      const wanted = blank(text).trimEnd();
      if (seen !== wanted) {
        throw new Error(`at ${this.at}: row ${y}: xterm.js ${JSON.stringify(seen)}, engine ${JSON.stringify(wanted)}`);
      }
    }
    const x = Math.min(buffer.cursorX, cols - 1);
    if (buffer.cursorY !== report.cursor[0] || x !== report.cursor[1]) {
      throw new Error(`at ${this.at}: cursor ${buffer.cursorY},${x}, engine ${report.cursor}`);
    }
    const fresh = this.make();
    await write(fresh, report.snapshot);
    compare(`at ${this.at}: xterm.js and the snapshot`, now, state(fresh), cols);
    while (this.copies.length && this.copies[0].from + AHEAD <= this.at) {
      const copy = this.copies.shift();
      compare(`at ${this.at}: ${this.at - copy.from} bytes after a snapshot`, now, state(copy.terminal), cols);
    }
    this.copies.push({ from: this.at, terminal: fresh });
    this.compared += 1;
  }

  end() {
    const now = state(this.live);
    for (const copy of this.copies) {
      compare(`at the end: ${this.at - copy.from} bytes after a snapshot`, now, state(copy.terminal), this.size[0]);
    }
  }
}

let stream;
let failed = false;
let [streams, snapshots, differences] = [0, 0, 0];

async function attempt(step) {
  if (failed) return;
  try {
    await step();
  } catch (error) {
    if (!all) {
      console.error(`${stream.name} ${error.message}`);
      process.exit(1);
    }
    console.log(`${stream.name} ${error.message}`);
    failed = true;
    differences += 1;
  }
}

async function finish() {
  if (!stream) return;
  await attempt(() => stream.end());
  streams += 1;
  snapshots += stream.compared;
  failed = false;
}

for await (const text of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const line = JSON.parse(text);
  if (line.stream) {
    await finish();
    stream = new Stream(line);
  } else if (line.bytes) {
    stream.bytes = Buffer.concat([stream.bytes, Buffer.from(line.bytes)]);
  } else {
    await attempt(() => stream.report(line));
  }
}
await finish();
console.log(`${streams} streams, ${snapshots} snapshots compared with xterm.js, ${differences} streams differ`);
if (differences) process.exit(1);
