// The page against the real daemon: a shell in a worktree, seen, typed into, told something and stopped from a browser.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { launch, screen, until, visitor } from './browser.mjs';

const { AO, CHROMIUM, SHOTS } = process.env;
const run = promisify(execFile);
/** How long a verb may take, in milliseconds: the first one starts the daemon. */
const VERB = 60_000;
const REFUSED = /status of 40[13]/;
const AWAY = /ERR_|WebSocket connection|status of 503/;

describe('the real daemon', () => {
  let browser;
  let guest;
  let page;
  let url;
  let port;
  const root = mkdtempSync(join(tmpdir(), 'ao-'));
  const repository = join(root, 'repo');
  // Nothing of the person who runs the tests: no configuration, no daemon, no git settings.
  const env = { PATH: process.env.PATH, HOME: root, AO_HOME: join(root, 'home'), LANG: 'C.UTF-8', TERM: 'xterm-256color' };
  const ao = async (...args) => (await run(AO, args, { cwd: repository, env, timeout: VERB })).stdout.trim();
  const git = (...args) => run('git', ['-c', 'user.name=test', '-c', 'user.email=test@localhost', ...args], { cwd: repository, env });
  const shell = (name) => ao('new', '--agent', 'shell', '--no-prompt', '--name', name, '--', 'bash', '--norc', '--noprofile', '-i');
  const statusOf = async (id) => JSON.parse(await ao('list', '--all', '--json')).sessions.find((one) => one.id === id)?.status;
  const go = (hash) => page.evaluate((to) => { location.hash = to; }, hash);
  const shot = (name) => SHOTS && page.screenshot({ path: join(SHOTS, `${name}.png`) });

  before(async () => {
    if (SHOTS) mkdirSync(SHOTS, { recursive: true });
    mkdirSync(repository);
    await git('init', '--quiet', '--initial-branch=main');
    await git('commit', '--quiet', '--allow-empty', '--message=Begin');
    port = String(await freePort());
    await ao('daemon', 'start', '--port', port);
    await ao('start', '--yes');
    await shell('one');
    browser = await launch(CHROMIUM);
    guest = await visitor(browser, { allow: [AWAY] });
    const link = await ao('open', '--print');
    url = new URL(link).origin;
    page = await guest.open(link);
    await page.locator('.connection[data-state=live]').waitFor();
  });

  after(async () => {
    await browser?.close();
    await ao('stop', '--all').catch(() => {});
    await ao('daemon', 'stop').catch(() => {});
    const left = await until('everything is gone', async () => processesOf(root).length === 0).catch(() => processesOf(root));
    rmSync(root, { recursive: true, force: true });
    assert.equal(left, true, 'processes are left');
  });

  it('gives nothing but the way to sign in to a browser without a cookie', async () => {
    const stranger = await visitor(browser, { allow: [REFUSED] });
    const other = await stranger.open(`${url}/no/such/page`);
    await other.getByText('ao open', { exact: true }).waitFor();
    assert.equal(await other.locator('.card').count(), 0);
    await stranger.leave(url);
  });

  it('shows a session, and another one as soon as it is started elsewhere', async () => {
    await page.locator('.card', { hasText: 'repo-1' }).waitFor();
    await shell('two');
    await page.locator('.card', { hasText: 'repo-2' }).waitFor();
    await until('both shells are idle', async () => (await page.locator('.card .status', { hasText: 'Idle' }).count()) === 2);
    await shot('daemon-board');
  });

  it('shows the terminal, types into it, and shows the same screen again after a reload', async () => {
    await go('#/session/repo-1');
    await page.locator('.term-state[data-state=open]').waitFor();
    await page.locator('.term-box').click();
    await page.keyboard.type('echo answer=$((6*7))');
    await page.keyboard.press('Enter');
    await until('the answer', async () => (await screen(page)).includes('answer=42'));
    await page.reload();
    await until('the answer again', async () => (await screen(page).catch(() => '')).includes('answer=42'));
    const size = await page.locator('.term-size').innerText();
    await page.locator('.term-box').click();
    await page.keyboard.type('stty size');
    await page.keyboard.press('Enter');
    const [cols, rows] = size.split(' × ');
    await until(`the shell knows its size ${size}`, async () => (await screen(page)).includes(`${rows} ${cols}`));
    await shot('daemon-session');
  });

  it('shows the same to somebody who only looks, at the size that the other chose', async () => {
    const looker = await visitor(browser, { viewport: { width: 390, height: 844 }, allow: [AWAY] });
    const other = await looker.open((await ao('open', '--print', 'repo-1')));
    await until('the answer', async () => (await screen(other).catch(() => '')).includes('answer=42'));
    assert.equal(await other.locator('.term-size').innerText(), await page.locator('.term-size').innerText());
    assert.ok(await other.getByRole('radio', { name: 'Look' }).isChecked());
    await page.locator('.term-box').click();
    await page.keyboard.type('echo seen-by-$((1+1))');
    await page.keyboard.press('Enter');
    await until('what the first types', async () => (await screen(other)).includes('seen-by-2'));
    await looker.leave(url);
  });

  it('delivers a message into the terminal, and explains the status', async () => {
    // The other session: where a person typed a moment ago, a prompt waits for them.
    await go('#/session/repo-2');
    await page.locator('.session-id', { hasText: 'repo-2' }).waitFor();
    await page.locator('.term-state[data-state=open]').waitFor();
    await page.locator('.message textarea').fill('echo told-$((2+3))');
    await page.getByRole('button', { name: 'Send' }).click();
    await until('the message was typed', async () => (await screen(page)).includes('told-5'));
    await page.locator('.evidence', { hasText: 'screen' }).waitFor();
    await go('#/session/repo-1');
    await page.locator('.session-id', { hasText: 'repo-1' }).waitFor();
  });

  it('comes back with a daemon that was restarted, and the session lives on', async () => {
    await page.locator('.term-state[data-state=open]').waitFor();
    await ao('daemon', 'restart', '--port', port);
    await page.locator('.connection[data-state=live]').waitFor();
    await page.locator('.term-state[data-state=open]').waitFor();
    await page.locator('.term-box').click();
    await page.keyboard.type('echo still-$((3+4))');
    await page.keyboard.press('Enter');
    await until('the same shell', async () => /answer=42[^]*still-7/.test(await screen(page)));
  });

  it('stops a session after a question, and shows how it ended', async () => {
    await page.getByRole('button', { name: 'Stop…' }).click();
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.locator('.session-head .status', { hasText: 'Stopped' }).waitFor();
    assert.equal(await statusOf('repo-1'), 'killed');
    await page.getByRole('button', { name: 'Start again' }).waitFor();
    await go('#/');
    await page.locator('.column-done .card', { hasText: 'repo-1' }).waitFor();
    await page.locator('.column-working .card', { hasText: 'repo-2' }).waitFor();
    await guest.leave(url);
  });
});

/** A port of our own: the default one may be another daemon's, and a restart would then look for a free one again. */
function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

/** Processes that have the directory in their command line or as a part of their environment's data root. */
function processesOf(directory) {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid).flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      return command.includes(directory) || environment.includes(`AO_HOME=${directory}`) ? [`${pid} ${command}`] : [];
    } catch {
      // It ended while we looked, or is not ours.
      return [];
    }
  });
}
