// Opens the page in Chromium and notes what must not happen: errors, blocked content, requests to elsewhere.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
/** What Chromium calls an error when a page leaves a terminal, or its daemon ends, while the connection is being made. */
const LEFT = /^WebSocket connection to .* failed: (WebSocket is closed before the connection is established|Connection closed before receiving a handshake response)/;
/** How long anything on the page may take, in milliseconds. */
export const LIMIT = 10_000;

export const launch = (executablePath) => chromium.launch({ executablePath, headless: true, args: FLAGS });

/**
 * A browser of its own: no cookie, nothing stored.
 * @param {object} options for the context, and `allow`: errors that this test causes on purpose
 */
export async function visitor(browser, { allow = [], ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(LIMIT);
  const wrong = [];
  const origins = new Set();
  const note = (text) => [LEFT, ...allow].some((pattern) => pattern.test(text)) || wrong.push(text);
  context.on('request', (request) => origins.add(new URL(request.url()).origin));
  context.on('console', (message) => ['error', 'warning'].includes(message.type()) && note(message.text()));
  context.on('weberror', (error) => note(String(error.error())));
  context.on('dialog', (dialog) => {
    note(`a dialog of the browser: ${dialog.message()}`);
    dialog.dismiss();
  });
  return {
    context,
    open: async (url) => {
      const page = await context.newPage();
      await page.goto(url);
      return page;
    },
    /** Closes it and fails when something was wrong. */
    async leave(origin) {
      await context.close();
      assert.deepEqual(wrong, [], 'errors on the page');
      assert.deepEqual([...origins], [origin], 'requests went elsewhere');
    },
  };
}

/** Waits until `read` gives what is wanted. */
export async function until(what, read) {
  const end = Date.now() + LIMIT;
  for (;;) {
    const got = await read();
    if (got) return got;
    if (Date.now() > end) assert.fail(`it did not come to this: ${what}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** The text that a terminal shows. */
export const screen = (page) => page.locator('.xterm-rows').innerText();
