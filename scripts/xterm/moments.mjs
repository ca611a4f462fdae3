// Judges what viewers of the chaos test were given: moments.mjs DIRECTORY with one JSON file a moment.
// A fresh xterm.js with the snapshot and the live bytes must show the rows and the cursor that the host told; with the bytes
// up to a second viewer's snapshot it must equal another one that was given that snapshot, cell by cell.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import xterm from '@xterm/headless';

const [directory] = process.argv.slice(2);
const make = ([cols, rows]) => new xterm.Terminal({ cols, rows, allowProposedApi: true, scrollback: 0 });
const write = (terminal, bytes) => new Promise((done) => terminal.write(Uint8Array.from(bytes), done));

function state(terminal) {
  const buffer = terminal.buffer.active;
  const cells = [];
  for (let y = 0; y < terminal.rows; y++) {
    const line = buffer.getLine(buffer.baseY + y);
    for (let x = 0; x < terminal.cols; x++) {
      const cell = line.getCell(x);
      const attrs = ['isBold', 'isDim', 'isItalic', 'isUnderline', 'isBlink', 'isInverse', 'isInvisible', 'isStrikethrough']
        .filter((name) => cell[name]());
      // Half of a wide character that was written over is left with the pen's looks here and with none elsewhere.
      if (cell.getChars().trim() === '') {
        cells.push(`blank ${cell.getWidth()}`);
        continue;
      }
      cells.push(JSON.stringify([
        cell.getChars() || ' ', cell.getWidth(), cell.getFgColorMode(), cell.getFgColor(), cell.getBgColorMode(),
        cell.getBgColor(), attrs,
      ]));
    }
  }
  return { cells, rest: JSON.stringify([buffer.type, buffer.cursorX, buffer.cursorY, terminal.modes]) };
}

let judged = 0;
for (const name of readdirSync(directory).sort()) {
  const moment = JSON.parse(readFileSync(join(directory, name), 'utf8'));
  const fail = (what) => {
    throw new Error(`${moment.session} attached at ${moment.offset}: ${what}`);
  };
  const told = make(moment.size);
  await write(told, moment.screen);
  await write(told, moment.live);
  const buffer = told.buffer.active;
  for (const [y, text] of moment.rows.entries()) {
    const seen = buffer.getLine(buffer.baseY + y).translateToString(true).trimEnd();
    if (seen !== text.trimEnd()) fail(`row ${y}: xterm.js ${JSON.stringify(seen)}, host ${JSON.stringify(text)}`);
  }
  const x = Math.min(buffer.cursorX, moment.size[0] - 1);
  if (buffer.cursorY !== moment.cursor[0] || x !== moment.cursor[1]) {
    fail(`cursor ${buffer.cursorY},${x}, host ${moment.cursor}`);
  }
  const [followed, fresh] = [make(moment.size), make(moment.size)];
  await write(followed, moment.screen);
  await write(followed, moment.liveToSecond);
  await write(fresh, moment.second);
  const [a, b] = [state(followed), state(fresh)];
  if (a.rest !== b.rest) fail(`${a.rest} and a second viewer ${b.rest}`);
  const at = a.cells.findIndex((cell, index) => cell !== b.cells[index]);
  if (at >= 0) {
    fail(`cell ${Math.floor(at / moment.size[0])},${at % moment.size[0]}: ${a.cells[at]} and a second viewer ${b.cells[at]}`);
  }
  judged += 1;
}
if (judged === 0) throw new Error(`no moments in ${directory}`);
console.log(`moments: ${judged} equal in xterm.js`);
