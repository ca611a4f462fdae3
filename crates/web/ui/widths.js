// How many columns characters take, and which of them join, by the rules of the host's screen engine
// (`crates/host/src/engine/cluster.rs`): what is drawn here must stand where the host says it stands.
//
// The tables are written by a test of the host (`AO_UPDATE_DOCS=1 cargo test -p ao-host widths`).

// table: begin
const NOTHING = ''
  + '4t 1 gi 34 7n 7 7b 19 1 1 1 2 1 2 1 3 1n 1 a b 1 1 1a l g 1 2t 7 2 6 2 2 1 4 x 1 1 1 u r 2j b 1m 9 9 1 o 4 '
  + '1 9 1 3 1 5 17 3 1g 2 5 9 16 1l 1j 1 1 1 4 8 4 1 3 7 a 2 t 1 1m 1 1 1 2 4 8 1 9 1 a 2 q 1 2 2 1l 1 4 2 4 2 '
  + '2 3 3 1 u 2 3 1 b 2 1l 1 4 5 1 2 4 1 k 2 m 6 1 1 1m 1 1 2 1 4 8 1 5 5 a 2 u 1 1n 1 1 1 c 1 9 1 14 1 3 1 1j '
  + '1 1 3 5 3 1 4 7 2 b 2 t 1 1m 1 2 2 1 1 3 3 1 4 7 2 b 2 s 2 1l 2 1 1 2 4 8 2 8 1 a 2 t 1 20 1 4 1 2 3 1 1 8 '
  + '1 29 1 2 7 c 8 2q 1 2 9 b 7 21 2 r 1 1 1 1 1 1j e 1 5 1 2 5 b 1 10 9 1 2u 4 1 6 1 2 2 2 p 2 4 3 g 4 d 1 2 2 '
  + '6 1 f 1 5e 4g 9p 3 qa 4 s 3 t 2 u 2 1s 2 1 7 8 1 2 b 9 1 19 5 39 2 y 1 3a 3 4 2 9 1 6 3 63 2 2 1 1m 1 1 7 1 '
  + '1 1 1 2 8 6 a 2 1 1c 1t f 4 1c a 4 3 12 9 c 2 w 4 2 6 1k 1 1 2 3 1 1 5 1k 8 2 2 48 3 1 d 1 7 4 1 6 1 3 2 5i '
  + '1s ej 5 q 5 1d g 2o x 2da 3 6m w fe 6 2x 2 5l 1 n4a 4 1 a w 2 28 2 7k 1 3 1 4 1 p 2 5 1 47 2 q i 8 1 4 1 12 '
  + '8 p b 1 1 18 3 1c 1 2 4 2 2 2 1 10 1 1v 6 2 2 2 2 c 1 8 1 1b 1 1f 1 1 3 2 2 5 2 1 1 16 2 8 1 6m 1 2 1 4 1 '
  + '8n6 n 4 1d 6xu 1 kh g g g 5r 1 4g 1 27 9 ec 1 6a 1 45 5 1ae 3 1 2 5 4 14 3 4 1 4l 2 fx 4 1t 5 8t 2 u 5 w g '
  + '1y b 1d 4 3f 1 1i f 15 1 2 2 a 3 1d 4 2 2 7 1 1p 3 10 5 1 8 1q 1 c 2 1g 9 1 1 1 2 5 4 2 1 2n 3 2 4 6 1 2 1 '
  + '4d 1 3 8 l 2 1l 2 1 1 1 1 c 1 9 1 e 7 3 5 1v 1 2 6 1 1 2 1 1 3 4 5 e 2 2d 8 2 3 1 1 n 1 29 1 2 6 1 1 2 1 1 '
  + '2 1 2 6j 1 2 4 6 2 1 2 r 2 2d 8 2 1 1 2 2y 1 1 1 2 8 2t 1 1 1 2 4 1 5 77 9 1 2 6t 1 a 5 1 1 1 1 40 4 2 2 4 '
  + '1 w a 14 6 2 4 8 1 9 6 2 3 14 j 1 2 5i 1 1 3 1 1 5l 7 1 6 1 1 2a m 2 7 1 2 1 2 3e 6 3 1 1 2 1 9 20 2 3 1 1 '
  + '1 2g 1 76 2 b 3 1f 5 5 3 n 1 44l 1 6 f 8ug c 3 3 1xc 5 1n 7 t4 1 1r 4 29 1 b 2 f57 2 1 4 3mk 1a 2 n dc 2 1o '
  + '5 3 m 2 7 u 4 44 3 b 3 8 2 2 1 w 2 1ha 1j 4 1e 8 1 e 1 m 5 1 f 11s 7 1 h 2 7 1 2 1 5 2s 1 4g 7 af 1 1p 4 e4 '
  + '4 72 2 6r 1 2 1 7 2 5 1 d6 7 31 7 gzat 35s ';
const TWO = ''
  + '3cw 2o 18k 1 29h 2 d 2 5a 4 3 1 2 1 eh 2 l 2 q 8 g c 17 1 a 6 3 1 d 1 8 2 h 2 5 2 8 1 5 1 l 1 7 2 1 1 4 1 2 '
  + '1 7 1 4 2 s 1 z 1 1 1 4 3 1 1 1p 3 o 1 e 1 nv 2 1f 1 4 1 mi q 1 2h c 5y q 1m 6 f 2 2e 4 2t 5 17 1 1f 1 16 1 '
  + '2e 9 1c 1 14 8 mkd 3 1j wp t hv 8mc 6l8 e8 ls a m z 1 j 1 4 45 2o 3j 7 m49 4 e 5 9 5p7 10 y 2n 37 d pe e 1f '
  + '5y5 4 1 7 1 2 1 89 9 1 t 3 2 1 e 5 7 b0 6bo 2f 9 n 5n1 1 5m 1 5a 1 2 a j 1 29 3 d 18 4 9 7 2 e 6 4a x c 9 1 '
  + '1y 1 m c 17 4 5 c h 3 1 3 1z 1 1 1 57 2 1r d 4 1 o i 1 q 2 d 1 2e 2d 1c 1y 6 1 3 3 2 5 2 4 b 2 7 9 65 1 5 c '
  + '4 1 7v 1b 1 a 1 55 34 d 3 1z 1 1 3 i 1 d 3 c zp 1eke 2 1eke ';
const PICTOGRAPHS = ''
  + '4p 1 4 1 68d 1 c 1 60 1 m 1 2i 6 f 2 a7 2 c 1 2n 1 1y 1 p b 4 3 5j 1 6f 2 a 1 9 1 1m 4 1 6 1 c 1 36 a 3a 2 '
  + 'b 1 1 1 1 6 1 3 1 6 1 a 2 f 1 2 1 4 1 1 1 4 3 1 1 b 5 19 3 9 1 e 1 e 1 ac 2 cv 3 j 2 1f 1 4 1 yi 1 c 1 gp 1 '
  + '1 1 2fza di q e3 5 1ds 74 se ';
// table: end

const JOINER = 0x200d;
const EMOJI_STYLE = 0xfe0f;

/** What xterm.js is told of the character before: what may still join it. */
const OTHER = 1;
const PICTOGRAPH = 2;
const JOINING = 3;
const FLAG_HALF = 4;
const KEYCAP = 5;

/**
 * @param {string} text gaps and lengths in turn, to the base of 36
 * @returns {Uint32Array} first and last code points in turn
 */
function ranges(text) {
  const numbers = text.trim().split(' ').map((word) => Number.parseInt(word, 36));
  const out = new Uint32Array(numbers.length);
  let at = 0;
  for (const [index, number] of numbers.entries()) {
    at += number;
    out[index] = index % 2 ? at - 1 : at;
  }
  return out;
}

const nothing = ranges(NOTHING);
const two = ranges(TWO);
const pictographs = ranges(PICTOGRAPHS);

/**
 * @param {Uint32Array} list
 * @param {number} code
 */
function has(list, code) {
  let low = 0;
  let high = list.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (code < list[2 * middle]) high = middle - 1;
    else if (code > list[2 * middle + 1]) low = middle + 1;
    else return true;
  }
  return false;
}

/** @param {number} code */
function wcwidth(code) {
  if (code < 0x7f) return 1;
  if (has(nothing, code)) return 0;
  return has(two, code) ? 2 : 1;
}

/** @param {number} code */
const isTone = (code) => code >= 0x1f3fb && code <= 0x1f3ff;
/** @param {number} code */
const isFlagHalf = (code) => code >= 0x1f1e6 && code <= 0x1f1ff;
/** @param {number} code */
const isKeycap = (code) => (code >= 0x30 && code <= 0x39) || code === 0x23 || code === 0x2a;

/**
 * The value that xterm.js hands back as `preceding`: a kind, the width, and whether the character joins the one before.
 * @param {number} kind
 * @param {number} width
 * @param {boolean} joins
 */
const properties = (kind, width, joins) => (kind << 3) | (width << 1) | (joins ? 1 : 0);

/** @param {number} code */
function kindOf(code) {
  if (isFlagHalf(code)) return FLAG_HALF;
  if (code < 0x7f) return isKeycap(code) ? KEYCAP : OTHER;
  return has(pictographs, code) ? PICTOGRAPH : OTHER;
}

/**
 * @param {number} code
 * @param {number} preceding what this function said of the character before, 0 after anything else
 */
function charProperties(code, preceding) {
  const width = wcwidth(code);
  const kind = preceding >> 3;
  const before = (preceding >> 1) & 3;
  if (width === 0) {
    const emoji = code === EMOJI_STYLE && (kind === PICTOGRAPH || kind === JOINING || kind === KEYCAP);
    const open = kind === PICTOGRAPH || kind === JOINING;
    const next = open && code === JOINER ? JOINING : open ? PICTOGRAPH : kind;
    return properties(next, emoji ? 2 : before, true);
  }
  if (kind === FLAG_HALF && isFlagHalf(code)) return properties(OTHER, 2, true);
  if (kind === PICTOGRAPH && isTone(code)) return properties(PICTOGRAPH, Math.max(before, width), true);
  const own = kindOf(code);
  if (kind === JOINING && own === PICTOGRAPH) return properties(PICTOGRAPH, Math.max(before, width), true);
  return properties(own, width, false);
}

/** For `terminal.unicode.register`. */
export const widths = { version: 'ao', wcwidth, charProperties };
