// Every page, in both themes, against the rules of axe: contrast, names, roles, order.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { launch, visitor } from './browser.mjs';
import { startFixture } from './fixture.mjs';

const { WEB, CHROMIUM } = process.env;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const CAST = join(WEB, '../testkit/fixtures/casts/claude-permission.cast');

describe('axe finds nothing wrong with', () => {
  let browser;
  before(async () => { browser = await launch(CHROMIUM); });
  after(() => browser.close());

  for (const colorScheme of ['light', 'dark']) {
    it(`any page (${colorScheme})`, async () => {
      const daemon = await startFixture({ web: WEB, cast: CAST, part: 0.5 });
      const guest = await visitor(browser, { colorScheme, allow: [/status of 401/] });
      const page = await guest.open(daemon.url);
      const check = async (name) => {
        await page.evaluate(AXE);
        const { violations, passes } = await page.evaluate(() => window.axe.run(document));
        assert.ok(passes.length > 10, 'the rules ran');
        assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map(({ target }) => target.join(' '))]), [], name);
      };
      await page.locator('.signin').waitFor();
      await check('sign-in');
      await page.goto(`${daemon.signInUrl}`);
      for (const [hash, ready] of [
        ['#/', '.card'], ['#/session/bil-3', '.evidence-table'], ['#/session/bil-2', '.term-state[data-state=ended]'],
        ['#/runs', '.tasks'], ['#/events', '.page .event'],
      ]) {
        await page.locator('.connection[data-state=live]').waitFor();
        await page.evaluate((to) => { location.hash = to; }, hash);
        await page.locator(ready).first().waitFor();
        await check(hash);
      }
      await page.getByRole('link', { name: 'Board', exact: false }).first().click();
      await page.keyboard.press('?');
      await page.getByRole('dialog').waitFor();
      await check('keys');
      await guest.leave(daemon.url);
      await daemon.close();
    });
  }
});
