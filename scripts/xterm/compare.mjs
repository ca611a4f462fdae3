// Holds the screen engine against xterm.js: compare.mjs RECORDING.cast < output of the example `replay`.
// At every report: the text and cursor of both, then a fresh xterm.js given the snapshot against the one that saw every
// byte, at once and again 4 KB later.
import { readFileSync } from 'node:fs';
import xterm from '@xterm/headless';

const AHEAD = 4096;
const [path] = process.argv.slice(2);
const cast = readFileSync(path, 'utf8').trim().split('\n').slice(1).map((line) => JSON.parse(line));
const reports = readFileSync(0, 'utf8').trim().split('\n').map((line) => JSON.parse(line));

const make = (cols, rows) => new xterm.Terminal({ cols, rows, allowProposedApi: true, scrollback: 0 });
const write = (terminal, data) => new Promise((done) => terminal.write(data, done));

const look = (cell) => ({
  chars: cell.getChars() || ' ',
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

const bytes = Buffer.concat(cast.filter(([, kind]) => kind === 'o').map(([, , data]) => Buffer.from(data)));

let live = make(120, 40);
let at = 0;
let size = [120, 40];
let copies = [];
let compared = 0;
for (const report of reports) {
  if (report.size.join() !== size.join()) {
    // What a change of size does to the text is not the same in any two terminals: begin again from the snapshot.
    size = report.size;
    live = make(...size);
    await write(live, report.snapshot);
    at = report.ground;
    copies = [];
  }
  const next = bytes.subarray(at, report.ground);
  await write(live, next);
  for (const copy of copies) await write(copy.terminal, next);
  at = report.ground;
  const now = state(live);
  const [cols] = size;
  const lines = report.rows.map((text) => text.trimEnd());
  for (const [y, text] of lines.entries()) {
    const seen = live.buffer.active.getLine(live.buffer.active.baseY + y).translateToString(true).trimEnd();
    if (seen !== text) throw new Error(`${path} at ${at}: row ${y}: xterm.js ${JSON.stringify(seen)}, engine ${JSON.stringify(text)}`);
  }
  const x = Math.min(live.buffer.active.cursorX, cols - 1);
  if (live.buffer.active.cursorY !== report.cursor[0] || x !== report.cursor[1]) {
    throw new Error(`${path} at ${at}: cursor ${live.buffer.active.cursorY},${x}, engine ${report.cursor}`);
  }
  const fresh = make(...size);
  await write(fresh, report.snapshot);
  compare(`${path} at ${at}: xterm.js and the snapshot`, now, state(fresh), cols);
  while (copies.length && copies[0].from + AHEAD <= at) {
    const copy = copies.shift();
    compare(`${path} at ${at}: ${at - copy.from} bytes after a snapshot`, now, state(copy.terminal), cols);
  }
  copies.push({ from: at, terminal: fresh });
  compared += 1;
}
console.log(`${path}: ${compared} snapshots equal in xterm.js`);
