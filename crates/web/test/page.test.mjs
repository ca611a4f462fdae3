// The page in a real browser against recorded answers: what it shows, what follows from events, what it never does.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { launch, screen, until, visitor } from './browser.mjs';
import { startFixture } from './fixture.mjs';

const { WEB, CHROMIUM, SHOTS } = process.env;
const CAST = join(WEB, '../testkit/fixtures/casts/claude-permission.cast');
const REFUSED = /status of 40[13]/;
const AWAY = /ERR_|WebSocket connection|status of 503/;

let browser;
let daemon;
before(async () => { browser = await launch(CHROMIUM); });
after(() => browser.close());

const start = async (options = {}) => { daemon = await startFixture({ web: WEB, ...options }); };
afterEach(() => daemon.close());

/** Opens the page signed in, at `hash`. */
async function signedIn(guest, hash = '#/') {
  const page = await guest.open(daemon.signInUrl);
  await page.locator('.connection[data-state=live]').waitFor();
  if (hash !== '#/') await page.evaluate((to) => { location.hash = to; }, hash);
  return page;
}

const card = (page, id) => page.locator('.card', { has: page.locator('.where', { hasText: new RegExp(`^${id}(?!\\d)`) }) });
const ids = (page, column) => page.locator(`.column-${column} .where span:first-child`).allInnerTexts();
const shot = async (page, name) => {
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`) });
};

describe('signing in', () => {
  beforeEach(() => start());

  it('a page without a cookie says how to sign in, whatever its path', async () => {
    const guest = await visitor(browser, { allow: [REFUSED] });
    for (const path of ['/', '/nowhere/at/all', '/#/session/bil-3']) {
      const page = await guest.open(daemon.url + path);
      await page.getByText('ao open', { exact: true }).waitFor();
      assert.equal(await page.locator('.card').count(), 0);
      await page.close();
    }
    await guest.leave(daemon.url);
  });

  it('a one-time link signs in, and its code stays neither in the address nor in the history', async () => {
    const guest = await visitor(browser);
    const page = await signedIn(guest);
    assert.equal(page.url(), `${daemon.url}/`);
    assert.equal(await page.locator('.card').count(), 12);
    await guest.leave(daemon.url);
  });

  it('a used link is refused in words, and one that is pasted into the page or its address signs in', async () => {
    const first = await visitor(browser);
    await signedIn(first);
    await first.leave(daemon.url);
    const guest = await visitor(browser, { allow: [REFUSED] });
    const page = await guest.open(daemon.signInUrl);
    await page.getByText('was used already').waitFor();
    await shot(page, 'sign-in');
    daemon.newCode('another');
    daemon.newCode('third');
    await page.getByLabel('paste the link').fill(`${daemon.url}/#sign-in=another`);
    await page.keyboard.press('Enter');
    await page.locator('.card').first().waitFor();
    await guest.context.clearCookies();
    await page.reload();
    await page.getByText('ao open', { exact: true }).waitFor();
    await page.evaluate(() => { location.hash = '#sign-in=third'; });
    await page.locator('.card').first().waitFor();
    await guest.leave(daemon.url);
  });

  it('a cookie that is worth nothing any more brings the sign-in page', async () => {
    const guest = await visitor(browser, { allow: [REFUSED] });
    const page = await signedIn(guest, '#/session/bil-4');
    await page.locator('.message textarea').fill('Are you there?');
    await guest.context.clearCookies();
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('ao open', { exact: true }).waitFor();
    await guest.leave(daemon.url);
  });
});

describe('the board', () => {
  it('shows every session in the column of who has to act', async () => {
    await start();
    const guest = await visitor(browser);
    const page = await signedIn(guest);
    assert.deepEqual(await ids(page, 'needs'), ['bil-7', 'bil-3', 'bil-9']);
    assert.deepEqual(await ids(page, 'working'), ['bil-4', 'bil-5', 'bil-10', 'bil-12', 'bil-11']);
    assert.deepEqual(await ids(page, 'merge'), ['bil-6', 'bil-8']);
    assert.deepEqual(await ids(page, 'done'), ['bil-2', 'bil-1']);
    const text = await card(page, 'bil-10').innerText();
    for (const part of ['Conflict', 'Keep currency order', 'src/export/csv.rs', '#14', 'attempt 2', 'typing prompt', 'fix/currency-order']) {
      assert.ok(text.includes(part), `${part} in: ${text}`);
    }
    assert.equal(await page.title(), '(3) Board · ao');
    await shot(page, 'board');
    await guest.leave(daemon.url);
  });

  it('follows events: a status changes, a session appears, the queue moves, without another request', async () => {
    await start();
    const guest = await visitor(browser);
    const page = await signedIn(guest);
    const before = daemon.asked.length;
    daemon.publish({ type: 'observed', session: 'bil-3', summary: 'turn 2 began', sessions: [{ ...daemon.session('bil-3'), status: 'working', needsPerson: false, why: 'the question was answered' }] });
    await page.locator('.column-working .card', { hasText: 'the question was answered' }).waitFor();
    assert.equal(await page.title(), '(2) Board · ao');
    daemon.publish({ type: 'session_requested', session: 'bil-13', summary: 'asked for', sessions: [{ ...daemon.session('bil-4'), id: 'bil-13', title: 'Brand new', status: 'spawning' }] });
    await page.locator('.column-working .card', { hasText: 'Brand new' }).waitFor();
    daemon.publish({ type: 'effect_done', summary: 'landed', queues: [{ projectId: 'billing', target: 'main', waiting: [], batch: [], blocked: 'the target was red before' }] });
    await page.locator('.queue', { hasText: 'the target was red before' }).waitFor();
    await page.locator('.news .event', { hasText: 'turn 2 began' }).waitFor();
    assert.equal(daemon.asked.length, before, 'events bring everything');
    await guest.leave(daemon.url);
  });

  it('a status that this page does not know is shown by its name, where a person looks', async () => {
    await start();
    const guest = await visitor(browser);
    const page = await signedIn(guest);
    daemon.publish({ type: 'observed', session: 'bil-4', summary: 'x', sessions: [{ ...daemon.session('bil-4'), status: 'future_state' }] });
    await page.locator('.column-needs .status', { hasText: 'future state' }).waitFor();
    await guest.leave(daemon.url);
  });

  it('filters by words, and says so when nothing was ever started', async () => {
    await start();
    const guest = await visitor(browser);
    const page = await signedIn(guest);
    await page.keyboard.press('/');
    await page.keyboard.type('csv semi');
    await until('one card', async () => (await page.locator('.card').count()) === 1);
    await guest.leave(daemon.url);
    await daemon.close();
    await start({ empty: true });
    const other = await visitor(browser);
    const empty = await signedIn(other);
    await empty.getByText('No sessions yet').waitFor();
    assert.ok(await empty.getByText('ao fix').isVisible());
    await other.leave(daemon.url);
  });

  it('text of others stays text', async () => {
    await start();
    const guest = await visitor(browser);
    const page = await signedIn(guest);
    const evil = '<img src=x onerror=alert(1)><script>alert(2)</script>\u202egnp.exe';
    daemon.publish({ type: 'observed', session: 'bil-4', summary: evil, sessions: [{ ...daemon.session('bil-4'), title: evil, why: `\`${evil}\``, branch: evil, attention: undefined }] });
    await page.locator('.card-title', { hasText: '<img src=x' }).waitFor();
    await page.evaluate(() => { location.hash = '#/session/bil-4'; });
    await page.locator('.session-title', { hasText: '<script>' }).waitFor();
    await page.evaluate(() => { location.hash = '#/events'; });
    await page.locator('.event-what', { hasText: '<img' }).waitFor();
    assert.equal(await page.locator('img, main script').count(), 0);
    await guest.leave(daemon.url);
  });
});

describe('the stream', () => {
  beforeEach(() => start());

  it('is one for all tabs of a browser, and passes on when its tab closes', async () => {
    const guest = await visitor(browser);
    const first = await signedIn(guest);
    const second = await guest.open(daemon.url);
    await second.locator('.connection[data-state=live]').waitFor();
    assert.equal(daemon.streams.size, 1);
    const tell = (title) => daemon.publish({ type: 'observed', session: 'bil-4', summary: title, sessions: [{ ...daemon.session('bil-4'), title }] });
    tell('Told to both');
    for (const page of [first, second]) await page.locator('.card-title', { hasText: 'Told to both' }).waitFor();
    await first.close();
    await until('the second tab follows', () => daemon.opened() === 2 && daemon.streams.size === 1);
    tell('Told to the second');
    await second.locator('.card-title', { hasText: 'Told to the second' }).waitFor();
    await guest.leave(daemon.url);
  });

  it('comes back with the daemon, the page is up to date, and nothing typed is lost', async () => {
    const guest = await visitor(browser, { allow: [AWAY] });
    const page = await signedIn(guest, '#/session/bil-4');
    await until('the terminal', async () => (await screen(page)).includes('bil-4$'));
    await page.locator('.message textarea').fill('half a thought');
    await daemon.goAway();
    await page.locator('.connection[data-state=lost]').waitFor();
    await page.locator('.term-state[data-state=lost]').waitFor();
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('The daemon does not answer.').waitFor();
    daemon.publish({ type: 'observed', session: 'bil-4', summary: 'meanwhile', sessions: [{ ...daemon.session('bil-4'), title: 'Changed meanwhile' }] });
    await daemon.comeBack();
    await page.locator('.session-title', { hasText: 'Changed meanwhile' }).waitFor();
    await page.locator('.term-state[data-state=open]').waitFor();
    assert.equal(await page.locator('.message textarea').inputValue(), 'half a thought');
    await page.reload();
    assert.equal(await page.locator('.message textarea').inputValue(), 'half a thought');
    await guest.leave(daemon.url);
  });
});

describe('a session', () => {
  it('shows the true screen, sends keys, tells what was drawn, and asks for the size of its window', async () => {
    await start();
    const guest = await visitor(browser);
    const page = await signedIn(guest, '#/session/bil-4');
    await until('the prompt of the shell', async () => (await screen(page)).includes('bil-4$'));
    await page.locator('.term-box').click();
    await page.keyboard.type('echo ü😀');
    await page.keyboard.press('Enter');
    await until('the echo', async () => (await screen(page)).includes('bil-4$ echo ü😀'));
    const [terminal] = daemon.terminals;
    assert.equal(terminal.keys, 'echo ü😀\r');
    await until('all was seen', () => terminal.seen === Buffer.byteLength(terminal.keys) + 1);
    const { cols, rows } = terminal.size;
    assert.ok(cols > 100 && rows > 30, `${cols} × ${rows}`);
    await page.setViewportSize({ width: 1000, height: 700 });
    await until('another size', () => terminal.size.cols < cols && terminal.size.rows < rows);
    await page.locator('.term-size', { hasText: `${terminal.size.cols} × ${terminal.size.rows}` }).waitFor();
    await until('the screen again', async () => (await screen(page)).includes('echo ü😀'));
    await guest.leave(daemon.url);
  });

  it('looking sends no key and asks for no size', async () => {
    await start();
    const guest = await visitor(browser);
    const page = await signedIn(guest, '#/session/bil-4');
    await page.getByRole('radio', { name: 'Look' }).check();
    const terminal = await until('a connection that only looks', () => daemon.terminals.find(({ readOnly }) => readOnly));
    await page.locator('.term-size', { hasText: '120 × 40' }).waitFor();
    await page.locator('.term-box').click();
    await page.keyboard.type('rm -rf /');
    await page.setViewportSize({ width: 1000, height: 700 });
    await page.getByRole('radio', { name: 'Type' }).check();
    await until('a connection that types', () => daemon.terminals.at(-1).readOnly === false && daemon.terminals.length === 3);
    await page.locator('.term-state[data-state=open]').waitFor();
    await page.keyboard.type('!');
    await until('the key', () => daemon.terminals.at(-1).keys === '!');
    assert.equal(terminal.keys, '');
    assert.deepEqual(terminal.size, { cols: 120, rows: 40 });
    await guest.leave(daemon.url);
  });

  it('characters take as many columns as on the screen of the host', async () => {
    // Each is two columns wide; what is drawn at the third column stands right behind it.
    const wide = ['👨‍👩‍👧', '👍🏽', '🇩🇪', '漢', '🙂', '🚀', '⚠️'];
    await start({ drawn: wide.map((text, row) => `\x1b[${row + 1};1H${text}\x1b[${row + 1};3Hx`).join('') });
    const guest = await visitor(browser);
    const page = await signedIn(guest, '#/session/bil-3');
    const rows = await until('the rows', async () => {
      const lines = (await screen(page)).split('\n').map((line) => line.trim()).filter(Boolean);
      return lines.length >= wide.length && lines;
    });
    assert.deepEqual(rows.slice(0, wide.length), wide.map((text) => `${text}x`));
    await guest.leave(daemon.url);
  });

  it('a recorded agent is drawn as it was, with the styles that xterm.js sets', async () => {
    await start({ cast: CAST, part: 0.5 });
    const guest = await visitor(browser);
    const page = await signedIn(guest, '#/session/bil-3');
    await until('the dialog', async () => (await screen(page)).includes('Do you want to proceed?'));
    assert.notEqual(await page.locator('.xterm-rows span', { hasText: 'Bash command' }).evaluate((span) => getComputedStyle(span).color), 'rgb(214, 217, 222)');
    const height = await page.locator('.xterm-rows > div').first().evaluate((row) => row.getBoundingClientRect().height);
    assert.ok(height > 12, `rows are ${height} high`);
    await page.getByText('PermissionRequest').waitFor();
    await shot(page, 'session');
    await guest.leave(daemon.url);
  });

  it('says why it has its status, and what it knows', async () => {
    await start();
    const guest = await visitor(browser);
    const page = await signedIn(guest, '#/session/bil-9');
    await page.getByText('PermissionRequest').waitFor();
    const facts = await page.locator('.facts').innerText();
    for (const part of ['claude-code', 'fix/iso-weeks', 'worktrees/bil-9', 'run-2', 'dates::iso_week_53']) assert.ok(facts.includes(part), part);
    await guest.leave(daemon.url);
  });

  it('takes a message once and shows where it is', async () => {
    await start();
    const guest = await visitor(browser);
    const page = await signedIn(guest, '#/session/bil-4');
    await page.locator('.message textarea').fill('Use the gateway clock');
    await page.keyboard.press('Control+Enter');
    await page.locator('.stage', { hasText: 'waits until the agent takes a prompt' }).waitFor();
    assert.equal(await page.locator('.message textarea').inputValue(), '');
    const sent = daemon.asked.filter(({ path }) => path.endsWith('/message'));
    assert.deepEqual(sent.map(({ body }) => body), [{ content: 'Use the gateway clock' }]);
    assert.match(sent[0].key, /^[0-9a-f]{32}$/);
    await guest.leave(daemon.url);
  });

  it('is stopped only after a question', async () => {
    await start();
    const guest = await visitor(browser);
    const page = await signedIn(guest, '#/session/bil-4');
    const stops = () => daemon.asked.filter(({ method }) => method === 'DELETE');
    await page.getByRole('button', { name: 'Stop…' }).click();
    await page.getByRole('button', { name: 'Keep it running' }).click();
    await page.getByRole('button', { name: 'Stop…' }).click();
    await page.getByLabel('Remove the workspace too').check();
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.locator('.status', { hasText: 'Stopping' }).waitFor();
    assert.deepEqual(stops().map(({ path, body }) => [path, body.cleanup]), [['/api/sessions/bil-4', true]]);
    await guest.leave(daemon.url);
  });

  it('that ended shows its last screen, how it ended, and earlier output as text', async () => {
    await start();
    const guest = await visitor(browser);
    const page = await signedIn(guest, '#/session/bil-2');
    await page.getByText('exit code 0').first().waitFor();
    await page.locator('.term-state[data-state=ended]').waitFor();
    await page.getByRole('button', { name: 'Start again' }).waitFor();
    await page.getByRole('button', { name: '128 earlier rows' }).click();
    await page.locator('.earlier', { hasText: 'second <b>line</b>' }).waitFor();
    assert.equal(daemon.terminals.length, 1, 'nothing reconnects to what is over');
    await guest.leave(daemon.url);
  });

  it('that does not exist says so', async () => {
    await start();
    const guest = await visitor(browser);
    const page = await signedIn(guest, '#/session/nobody');
    await page.getByText('There is no session nobody').waitFor();
    await guest.leave(daemon.url);
  });

  it('a viewer can look and nothing else', async () => {
    await start({ role: 'viewer' });
    const guest = await visitor(browser);
    const page = await signedIn(guest, '#/session/bil-4');
    await until('a terminal', () => daemon.terminals.length === 1);
    assert.equal(daemon.terminals[0].readOnly, true);
    assert.ok(await page.locator('.message textarea').isDisabled());
    assert.ok(await page.locator('input[value=type]').isDisabled());
    assert.equal(await page.getByRole('button', { name: 'Stop…' }).isVisible(), false);
    await guest.leave(daemon.url);
  });
});

describe('by keyboard alone', () => {
  it('one goes to a card, into it, into the terminal, out again, sends a message and comes back', async () => {
    await start();
    const guest = await visitor(browser);
    const page = await signedIn(guest);
    const focused = () => page.evaluate(() => document.activeElement?.textContent || document.activeElement?.className);
    await page.keyboard.press('ArrowDown');
    assert.equal(await focused(), 'Move webhook secrets out of the environment');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    assert.equal(await focused(), 'Stop the ledger from losing the last page');
    const outline = await page.locator('.card:has(:focus-visible)').evaluate((node) => getComputedStyle(node).outlineStyle);
    assert.equal(outline, 'solid');
    daemon.publish({ type: 'observed', session: 'bil-5', summary: 'x', sessions: [{ ...daemon.session('bil-5'), status: 'in_merge_queue' }] });
    await page.locator('.column-merge .card', { hasText: 'Stop the ledger' }).waitFor();
    assert.equal(await focused(), 'Stop the ledger from losing the last page', 'a card that moves keeps the focus');
    await page.keyboard.press('Enter');
    await until('the terminal', async () => (await screen(page).catch(() => '')).includes('bil-5$'));
    await page.keyboard.press('t');
    await page.keyboard.type('b?');
    await until('keys are the agent’s', () => daemon.terminals[0].keys === 'b?');
    await page.keyboard.press('F6');
    await page.keyboard.type('hello');
    assert.equal(await page.locator('.message textarea').inputValue(), 'hello');
    await page.keyboard.press('Control+Enter');
    await until('the message', () => daemon.asked.some(({ body }) => body?.content === 'hello'));
    await page.keyboard.press('Shift+Tab');
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press('n');
    await page.locator('.session-title', { hasText: 'Move webhook secrets' }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('Next session that needs you').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('r');
    await page.getByRole('heading', { name: 'Runs' }).waitFor();
    await page.keyboard.press('b');
    await page.locator('.card').first().waitFor();
    assert.equal(daemon.terminals[0].keys, 'b?');
    await guest.leave(daemon.url);
  });
});

describe('runs', () => {
  it('show each task with how its session stands, and turn green by events', async () => {
    await start();
    const guest = await visitor(browser);
    const page = await signedIn(guest, '#/run/run-2');
    const row = (title) => page.locator('.tasks tbody tr', { hasText: title });
    assert.match(await row('ledger::last_page_is_read').innerText(), /Checking/);
    assert.match(await row('dates::iso_week_53').innerText(), /Given up\s*3 attempts did not make it pass/);
    await shot(page, 'run');
    daemon.publish({ type: 'observed', session: 'bil-5', summary: 'x', sessions: [{ ...daemon.session('bil-5'), status: 'in_merge_queue' }] });
    await row('ledger::last_page_is_read').getByText('In the merge queue').waitFor();
    const run = structuredClone(daemon.state.runs.runs[1]);
    Object.assign(run, { state: 'finished', outcome: 'green', commit: 'abcdef0123', endedAt: Date.now() });
    Object.assign(run.tasks[5], { state: 'landed', commit: 'abcdef0123', tookMs: 61_000 });
    daemon.publish({ type: 'effect_done', summary: 'green', runs: [run] });
    await page.locator('.run-head .status', { hasText: 'Green' }).waitFor();
    assert.match(await row('ledger::last_page_is_read').innerText(), /Landed.*1m 01s.*abcdef0/s);
    await guest.leave(daemon.url);
  });
});

describe('on a phone', () => {
  for (const colorScheme of ['light', 'dark']) {
    it(`nothing is wider than the screen, and a terminal is only looked at (${colorScheme})`, async () => {
      await start({ cast: CAST, part: 0.5 });
      const guest = await visitor(browser, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2, colorScheme });
      const page = await signedIn(guest);
      for (const [hash, ready] of [['#/', '.card'], ['#/session/bil-3', '.term-state[data-state=open]'], ['#/runs', '.tasks'], ['#/events', '.event']]) {
        await page.evaluate((to) => { location.hash = to; }, hash);
        await page.locator(ready).first().waitFor();
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390, hash);
        await shot(page, `phone-${colorScheme}-${hash.split('/')[1] || 'board'}`);
      }
      assert.deepEqual(daemon.terminals.map(({ readOnly }) => readOnly), [true]);
      await guest.leave(daemon.url);
    });
  }
});
