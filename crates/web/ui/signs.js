// The small signs beside words. Each has its own shape, so that colour is never the only difference.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Outlines on a grid of 16, drawn with a stroke of 1.5.
 * @type {Record<string, string[]>}
 */
const SHAPES = {
  working: ['M8 2.5a5.5 5.5 0 1 1-5.5 5.5'],
  starting: ['M8 2.5v2M8 11.5v2M2.5 8h2M11.5 8h2M4.1 4.1l1.4 1.4M10.5 10.5l1.4 1.4M4.1 11.9l1.4-1.4M10.5 5.5l1.4-1.4'],
  checking: ['M2.5 8a5.5 5.5 0 1 1 11 0 5.5 5.5 0 0 1-11 0', 'M8 5v3.2l2 1.3'],
  ask: ['M2.8 3.5h10.4v7.2H8.6L5.6 13v-2.3H2.8z', 'M8 5.3v2.4M8 9v.1'],
  key: ['M2.6 10.6a2.9 2.9 0 1 1 5.8 0 2.9 2.9 0 1 1-5.8 0', 'M7.6 8.4 13 3M10.8 5.2l2 2'],
  warn: ['M8 2.6 14 13.2H2z', 'M8 6.6v3M8 11.2v.1'],
  cross: ['M2.5 8a5.5 5.5 0 1 1 11 0 5.5 5.5 0 0 1-11 0', 'M6 6l4 4M10 6l-4 4'],
  conflict: ['M3 3l4 5-4 5M13 3 9 8l4 5'],
  limit: ['M4.5 2.5h7M4.5 13.5h7M5.3 2.5c0 3 5.4 3.6 5.4 5.5s-5.4 2.5-5.4 5.5M10.7 2.5c0 3-5.4 3.6-5.4 5.5s5.4 2.5 5.4 5.5'],
  unknown: ['M8 2.5a5.5 5.5 0 0 1 3.9 1.6M13.5 8a5.5 5.5 0 0 1-1.6 3.9M8 13.5a5.5 5.5 0 0 1-3.9-1.6M2.5 8a5.5 5.5 0 0 1 1.6-3.9', 'M6.7 6.6c.2-1.6 2.7-1.4 2.6.1 0 1-1.3 1.1-1.3 2M8 10.6v.1'],
  idle: ['M2.5 8a5.5 5.5 0 1 1 11 0 5.5 5.5 0 0 1-11 0', 'M6.6 6v4M9.4 6v4'],
  pull: ['M4.5 5.8v6.4M4.5 5.7a1.6 1.6 0 1 1 .1 0M4.5 14a1.6 1.6 0 1 1 .1 0M11.5 14a1.6 1.6 0 1 1 .1 0M11.5 10.7V7.5c0-1.6-1-2.5-2.6-2.5H8M9.6 3.2 7.8 5l1.8 1.8'],
  queue: ['M2.5 4h11M2.5 8h8M2.5 12h5'],
  done: ['M2.5 8a5.5 5.5 0 1 1 11 0 5.5 5.5 0 0 1-11 0', 'M5.6 8.2l1.7 1.7 3.2-3.6'],
  merged: ['M4.5 5.8v4.4M4.5 5.7a1.6 1.6 0 1 1 .1 0M4.5 13.5a1.6 1.6 0 1 1 .1 0M11.5 10a1.6 1.6 0 1 1 .1 0M4.6 5.8c.2 1.8 2 2.6 5.2 2.6'],
  stopped: ['M4 4h8v8H4z'],
  leaving: ['M4 8h8'],
  branch: ['M5 5.6v4.8M5 5.5a1.5 1.5 0 1 1 .1 0M5 13.5a1.5 1.5 0 1 1 .1 0M11 6.5a1.5 1.5 0 1 1 .1 0M11 6.6c0 2-2 2.6-5.8 3.2'],
  attempt: ['M12.8 6.2A5.3 5.3 0 1 0 13.3 9', 'M13.2 2.8v3.5H9.7'],
  back: ['M9.5 3.5 5 8l4.5 4.5'],
  send: ['M2.8 8h9.6M8.6 4.2 12.4 8l-3.8 3.8'],
};

/**
 * Draws a sign; it says nothing to screen readers, the word beside it does.
 * @param {string} name
 * @returns {SVGSVGElement}
 */
export function sign(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', `sign sign-${name}`);
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  for (const outline of SHAPES[name] ?? SHAPES.unknown) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', outline);
    svg.append(path);
  }
  return svg;
}
