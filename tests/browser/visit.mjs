// What does a reader's browser make of these pages? Opens each file in the system's Chromium, wide and narrow, with
// the network cut off, and prints one JSON line per visit:
//   file, width, bytes, requests (anything asked for but the page itself), errors (console and page), overflow (is
//   the page wider than the window?), unsaid (tables that slide sideways in a narrow window without saying so, or say
//   so and do not slide), violations and unclear (axe-core: rule, target, why).
// Usage: node visit.mjs PAGE.html ...

import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const WIDTHS = [1200, 375];
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];
const QUIET = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
];
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

function browserOnPath() {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    for (const folder of process.env.PATH.split(delimiter)) {
      const file = join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        continue;
      }
    }
  }
  throw new Error('no chromium, chromium-browser or google-chrome on PATH');
}

async function visit(browser, file, width) {
  const address = pathToFileURL(resolve(file)).href;
  const context = await browser.newContext({ viewport: { width, height: 900 }, offline: true });
  const page = await context.newPage();
  const requests = [];
  const errors = [];
  await context.route('**/*', (route) => (route.request().url() === address ? route.continue() : route.abort()));
  page.on('request', (request) => {
    const url = request.url();
    if (url !== address && !url.startsWith('data:')) requests.push(url);
  });
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(address, { waitUntil: 'load' });
  const seen = { requests: [...requests], errors: [...errors], ...(await page.evaluate(measure)) };
  // Only now, so that nothing axe does is counted. The page's own policy stays in force: the debugger may evaluate.
  await page.evaluate(AXE);
  const told = await page.evaluate(audit, RULES);
  await context.close();
  return { file, width, bytes: statSync(file).size, ...seen, ...told };
}

function measure() {
  const root = document.scrollingElement;
  const narrow = globalThis.innerWidth <= 640;
  const unsaid = [...document.querySelectorAll('.scroll')]
    .filter((box) => {
      const slides = narrow && box.scrollWidth > box.clientWidth;
      const says = parseFloat(getComputedStyle(box, '::before').height) > 0;
      return slides !== says;
    })
    .map((box) => box.getAttribute('aria-label'));
  return { overflow: root.scrollWidth > root.clientWidth, unsaid };
}

async function audit(rules) {
  const { violations, incomplete } = await globalThis.axe.run(document, {
    runOnly: { type: 'tag', values: rules },
    preload: false,
  });
  const short = (found) =>
    found.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => ({ rule: id, target: target.join(' '), why: failureSummary })),
    );
  return { violations: short(violations), unclear: short(incomplete) };
}

const files = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: browserOnPath(),
  args: process.getuid?.() === 0 ? [...QUIET, '--no-sandbox'] : QUIET,
});
try {
  for (const file of files) {
    const seen = await Promise.all(WIDTHS.map((width) => visit(browser, file, width)));
    seen.forEach((record) => console.log(JSON.stringify(record)));
  }
} finally {
  await browser.close();
}
