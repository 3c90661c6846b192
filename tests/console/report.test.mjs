// The report of a run over many objects, as the file that it is: in a real browser, sorted by clicks, in light and dark.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { faint, nameless, overflow } from "./checks.mjs";
import { places, put, run, shot, visit } from "./support.mjs";

const MARKUP = "<img src=x onerror=document.title='taken'>";
let world;
let url;

/** Keys that fail, and their sizes: no order of the keys is that of the sizes. */
const FAILED = [["in/a", 10], [`in/${MARKUP}`, 9], ["in/z", 100]];

/** What whoever reads it would have to send too: it can not be copied. */
const customerKey = Buffer.alloc(32, "k");
const encrypted = {
  "x-amz-server-side-encryption-customer-algorithm": "AES256",
  "x-amz-server-side-encryption-customer-key": customerKey.toString("base64"),
  "x-amz-server-side-encryption-customer-key-md5": createHash("md5").update(customerKey).digest("base64"),
};

/** A key of 1,024 bytes: on the page it has to break. */
const long = (start) => start + "x".repeat(1_024 - start.length);

/** As a path that is signed: all but what RFC 3986 leaves and slashes. */
const encoded = (key) => encodeURIComponent(key).replaceAll("%2F", "/").replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

before(async () => {
  world = await places();
  for (let n = 1; n <= 40; n += 1) {
    await put(world.source, `/album/in/file%20${n}.txt`, "x".repeat(n * 997));
  }
  await put(world.source, "/album/in/large.bin", Buffer.alloc(6 << 20, "transload"));
  await put(world.source, "/album/in/cold.bin", "frozen", { "x-amz-storage-class": "GLACIER" });
  for (const [start, size] of FAILED) await put(world.source, `/album/${encoded(long(start))}`, "y".repeat(size), encrypted);
  const ran = await run(world.folder, ["sync", "global:s3://album/in/", "china:s3://album-cn/in/", "--name", "report", "--batch-object-limit", String(5 << 20), "--batch-objects", "10", "--home", join(world.folder, "home")]);
  assert.equal(ran.code, 1, ran.stderr);
  const files = readdirSync(join(world.folder, "home"), { recursive: true }).filter((name) => name.endsWith("report.html"));
  assert.equal(files.length, 1, `${files}`);
  url = pathToFileURL(join(world.folder, "home", files[0])).href;
});

after(() => world?.end());

/** The texts of a column of a table. */
const column = (page, table, at) => page.locator(`#${table} tbody tr td:nth-child(${at})`).allTextContents();

test("when a run is over, then the page tells every sum and asks nobody for anything", async () => {
  const { page, asked, errors, context } = await visit(world, url);
  const cards = await page.locator(".cards li").allTextContents();
  const told = (name) => cards.find((card) => card.startsWith(name));
  assert.match(told("listed"), /^listed45/);
  assert.match(told("copied"), /^copied41/);
  assert.match(told("failed"), /^failed3/);
  assert.match(told("skipped"), /^skipped1/);
  assert.match(await page.locator(".status").textContent(), /Objects failed/);
  assert.ok((await page.locator("svg rect").count()) > 0, "no throughput");
  assert.deepEqual(await column(page, "failed", 3), FAILED.map(() => "SourceNeedsSseC"));
  for (const why of await column(page, "failed", 4)) assert.match(why, /^GetObject s3:.*a key of the client's own \(SSE-C\)/);
  assert.deepEqual(asked, [url], "external requests");
  assert.deepEqual(errors, []);
  await shot(page, "report");
  await context.close();
});

test("when keys hold markup, then they are shown and nothing runs", async () => {
  const { page, errors, context } = await visit(world, url);
  const keys = await column(page, "failed", 1);
  assert.ok(keys.some((key) => key.includes(MARKUP)), `${keys}`);
  assert.equal(await page.locator("#failed img").count(), 0);
  assert.notEqual(await page.title(), "taken");
  assert.deepEqual(errors, []);
  await context.close();
});

test("when a column's head is clicked, then numbers are sorted as numbers, up and down, by keyboard too", async () => {
  const { page, context } = await visit(world, url);
  const rows = page.locator("#failed tbody tr td:nth-child(2)");
  const sizes = () => rows.evaluateAll((cells) => cells.map((cell) => Number(cell.dataset.value)));
  const [bytes, key] = ["bytes", "key"].map((name) => page.locator("#failed").getByRole("button", { name }));
  await bytes.click();
  assert.deepEqual(await sizes(), [100, 10, 9]);
  await bytes.focus();
  await page.keyboard.press("Enter");
  assert.deepEqual(await sizes(), [9, 10, 100]);
  assert.equal(await page.locator("#failed th[aria-sort=ascending]").textContent(), "bytes");
  await key.click();
  assert.deepEqual(await column(page, "failed", 1), FAILED.map(([start]) => long(start)).sort().reverse());
  await context.close();
});

for (const colorScheme of ["light", "dark"]) {
  test(`when it is ${colorScheme} and 360 px wide, then everything has its name, its contrast and its room`, async () => {
    const { page, context } = await visit(world, url, { colorScheme, viewport: { width: 360, height: 800 } });
    assert.deepEqual(await page.evaluate(faint), []);
    assert.deepEqual(await page.evaluate(nameless), []);
    assert.equal(await page.evaluate(overflow), 0);
    await shot(page, `report-${colorScheme}`);
    await context.close();
  });
}
