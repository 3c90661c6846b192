// The page in a real browser: a transfer is started, watched, slowed, stopped, redriven and replayed by clicks alone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { faint, nameless, overflow } from "./checks.mjs";
import { bench, bucket, open, put, shot } from "./support.mjs";

const MIB = 1 << 20;
let world;

before(async () => {
  world = await bench();
  // 22 parts of 5 MiB or less: three children, for one takes ten parts at most.
  await put(world.source, "/album/films/big.bin", Buffer.alloc(106 * MIB, "transload"));
  await put(world.source, "/album/films/small.txt", "small");
  await put(world.source, "/album/notes.txt", "notes");
});

after(() => world?.end());

/** Fills the form, and starts. */
async function start(page, key, to = "album-cn", options = {}) {
  await page.getByRole("button", { name: "Start a transfer" }).click();
  const dialog = page.getByRole("dialog");
  for (const [side, location, bucketName] of [["Source", "global", "album"], ["Destination", "china", to]]) {
    const group = dialog.getByRole("group", { name: side });
    await group.getByLabel("Location").selectOption(location);
    await group.getByLabel("Bucket").fill(bucketName);
    await group.getByLabel("Key").fill(key);
  }
  const input = dialog.getByLabel("Input, as it is sent");
  const request = JSON.parse(await input.inputValue());
  if (Object.keys(options).length) await input.fill(JSON.stringify({ ...request, options }));
  await dialog.getByRole("button", { name: "Start", exact: true }).click();
  await dialog.waitFor({ state: "hidden" });
}

const status = (page, word) => page.locator("#live", { hasText: word }).waitFor({ timeout: 60_000 });
const state = (page, name) => page.locator(`#diagram [data-state="${name}"]`);
const squares = async (page, kind) => Number((await page.locator(`[data-count="${kind}"]`).textContent()).replace(/\D/g, ""));

async function until(what, wanted) {
  for (let turn = 0; turn < 600; turn += 1) {
    if (wanted(await what())) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  assert.fail(`it never came to ${wanted}: ${await what()}`);
}

function loopbackOnly(asked) {
  const elsewhere = asked.filter((url) => !url.startsWith(new URL(world.url).origin) && !url.startsWith("data:"));
  assert.ok(asked.length > 5);
  assert.deepEqual(elsewhere, []);
}

test("a transfer is started, watched, slowed, stopped, redriven and replayed by clicks", async () => {
  const { page, asked, errors, context } = await open(world);
  // Some parts arrive, then none.
  world.gate.shutAfter(22 * MIB);
  await start(page, "films/big.bin", "album-cn", { maxConcurrency: 1, partSize: 5 * MIB });
  await status(page, "running");
  await page.locator("#map").waitFor();
  await until(() => squares(page, "running"), (count) => count === 1);
  assert.equal(await squares(page, "waiting"), 2);
  assert.equal(await state(page, "Parts").getAttribute("data-now"), "running");
  await shot(page, "running");

  await page.getByLabel("Children at a time").fill("3");
  await page.getByRole("button", { name: "Change" }).click();
  await until(() => squares(page, "running"), (count) => count === 3);

  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.getByRole("button", { name: "Let it run" }).click();
  assert.ok(await page.getByRole("button", { name: "Stop", exact: true }).isEnabled());
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.getByRole("button", { name: "Stop it" }).click();
  await status(page, "aborted");
  await page.getByText("Stopped: stopped on the console page").waitFor();
  await shot(page, "stopped");

  world.gate.open();
  await page.getByRole("button", { name: "Redrive" }).click();
  await status(page, "running");
  await status(page, "succeeded");
  await until(() => squares(page, "failed"), (count) => count === 0);
  await until(async () => (await squares(page, "done")) + (await squares(page, "retried")), (count) => count === 3);
  assert.equal(await state(page, "Done").getAttribute("data-now"), "done");
  assert.ok(await page.getByRole("button", { name: "Redrive" }).isDisabled());
  assert.match(await page.locator("#report").textContent(), /22 of 5\.0 MiB/);
  assert.match(await page.locator("#rate").textContent(), /MiB\/s on average/);

  // A child, by keyboard.
  await page.locator("#grid").focus();
  await page.keyboard.press("ArrowRight");
  await page.locator("#child", { hasText: "parts 1-10" }).waitFor();

  // The history: filtered, opened.
  await page.getByLabel("Filter").fill("ExecutionRedriven");
  await page.locator("#history-count", { hasText: "1 of " }).waitFor();
  await page.locator("#events summary").click();
  assert.match(await page.locator("#events pre").textContent(), /"type": "ExecutionRedriven"/);
  await page.getByLabel("Filter").fill("");

  // The same again, to another key.
  await page.getByRole("button", { name: "Replay with edited input" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("group", { name: "Destination" }).getByLabel("Key").fill("again.bin");
  assert.match(await dialog.getByLabel("Input, as it is sent").inputValue(), /"maxConcurrency": 1/);
  await dialog.getByRole("button", { name: "Start", exact: true }).click();
  await status(page, "succeeded");
  await page.locator("#route", { hasText: "again.bin" }).waitFor();
  assert.equal(await page.locator("#executions li").count(), 2);
  await shot(page, "replayed");
  loopbackOnly(asked);
  assert.deepEqual(errors, []);
  await context.close();
});

test("what is wrong with an input is told before anything starts, and a failure where it happened", async () => {
  const { page, asked, context } = await open(world);
  const started = [];
  page.on("response", (answer) => answer.url().endsWith("/api/start") && answer.ok() && started.push(answer.url()));
  await page.getByRole("button", { name: "Start a transfer" }).click();
  const dialog = page.getByRole("dialog");
  const send = dialog.getByRole("button", { name: "Start", exact: true });
  await send.click();
  await dialog.getByRole("alert").filter({ hasText: "source.bucket" }).waitFor();
  await dialog.getByLabel("Input, as it is sent").fill("{");
  await send.click();
  await dialog.getByRole("alert").filter({ hasText: "no JSON" }).waitFor();
  await page.keyboard.press("Escape");
  assert.deepEqual(started, []);

  await start(page, "notes.txt", "nowhere-at-all");
  await status(page, "failed");
  await page.getByText("DestinationNotFound").first().waitFor();
  await until(() => state(page, "Copy").getAttribute("data-now"), (now) => now === "failed");
  await shot(page, "failed");
  await bucket(world.destination, "nowhere-at-all");
  await page.getByRole("button", { name: "Redrive" }).click();
  await status(page, "succeeded");

  // What ended in a Fail state would only fail there again.
  await start(page, "not-there.txt", "album-cn");
  await status(page, "failed");
  await page.getByText("SourceNotFound").first().waitFor();
  assert.equal(started.length, 2);
  await until(() => page.getByRole("button", { name: "Redrive" }).isDisabled(), (disabled) => disabled);
  loopbackOnly(asked);
  await context.close();
});

test("a place is opened down to an object, and that is copied", async () => {
  const { page, context } = await open(world);
  const places = page.getByRole("region", { name: "Places" });
  await places.getByLabel("Bucket in global").fill("album");
  await places.getByRole("button", { name: "Open" }).nth(1).click();
  await places.getByText("films/").click();
  await places.getByRole("button", { name: "Copy small.txt" }).click();
  const dialog = page.getByRole("dialog");
  assert.equal(await dialog.getByRole("group", { name: "Source" }).getByLabel("Key").inputValue(), "films/small.txt");
  assert.equal(await dialog.getByRole("group", { name: "Destination" }).getByLabel("Location").inputValue(), "china");
  await dialog.getByRole("group", { name: "Destination" }).getByLabel("Bucket").fill("album-cn");
  await shot(page, "start");
  await dialog.getByRole("button", { name: "Start", exact: true }).click();
  await status(page, "succeeded");
  await context.close();
});

test("ten thousand children are one picture", async () => {
  const { page, errors, context } = await open(world);
  const total = 10_000;
  const arn = (index) => `arn:aws:states:us-east-1:000000000000:execution:transload-object/Parts:${index}`;
  const status = (index) => (index < 7_000 ? "SUCCEEDED" : index < 7_040 ? "RUNNING" : "FAILED");
  const json = (body) => ({ json: body });
  const child = (index) => ({ executionArn: arn(index), name: `${index}`, status: status(index), startDate: index / 100, stopDate: index / 100 + 3 });
  await page.route("**/api/map-runs?*", (route) => route.fulfill(json({ mapRuns: [{ mapRunArn: "run", status: "SUCCEEDED", startDate: 0, maxConcurrency: 40,
    executionCounts: { total, succeeded: 7_000 }, itemCounts: { total } }] })));
  await page.route("**/api/children?*", (route) => {
    const from = Number(new URL(route.request().url()).searchParams.get("cursor") ?? 0);
    const executions = Array.from({ length: Math.min(1_000, 7_050 - from) }, (_, index) => child(from + index));
    return route.fulfill(json({ executions, nextToken: from + 1_000 < 7_050 ? `${from + 1_000}` : undefined }));
  });
  await page.route("**/api/parts?*", (route) => {
    const asked = new URL(route.request().url()).searchParams.getAll("arn");
    const of = (found) => ({ ...child(Number(found.split(":").at(-1))), asked: "1", failures: found.endsWith(":7") ? ["Throttled"] : [], redriveCount: 0 });
    return route.fulfill(json({ children: asked.map(of) }));
  });
  await page.locator("#executions button").last().click();
  await page.getByRole("img", { name: "Grid of 10000 children: 2950 waiting" }).waitFor();
  assert.equal(await squares(page, "failed"), 10);
  await page.locator("#grid").focus();
  await page.keyboard.press("End");
  await page.locator("#child", { hasText: "Waits for its turn" }).waitFor();
  const colours = await page.evaluate(() => {
    const canvas = document.getElementById("grid");
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const found = new Set();
    for (let at = 0; at < pixels.length; at += 4) if (pixels[at + 3] === 255) found.add(`${pixels[at]},${pixels[at + 1]},${pixels[at + 2]}`);
    return found.size;
  });
  assert.ok(colours >= 4, `${colours} colours`);
  await shot(page, "ten-thousand");
  assert.deepEqual(errors, []);
  await context.close();
});

test("an execution that does not exist is said to be none", async () => {
  const { page, context } = await open(world);
  await page.goto(`${world.url}#execution=${encodeURIComponent("arn:aws:states:us-east-1:000000000000:execution:transload-object:none")}`);
  await page.reload();
  await page.getByText("There is no such execution").waitFor();
  await context.close();
});

for (const colorScheme of ["light", "dark"]) {
  for (const width of [360, 1280]) {
    test(`names, widths and contrasts: ${colorScheme}, ${width} pixels`, async () => {
      const { page, context } = await open(world, { colorScheme, viewport: { width, height: 800 } });
      await page.locator("#executions button").last().click();
      await page.locator("#report table").first().waitFor();
      await page.locator("#rate svg").waitFor();
      await page.locator("#events summary").first().click();
      assert.deepEqual(await page.evaluate(nameless), []);
      assert.ok((await page.evaluate(overflow)) <= 0, "the page scrolls sideways");
      assert.deepEqual(await page.evaluate(faint), []);
      await shot(page, `${colorScheme}-${width}`);
      await page.getByRole("button", { name: "Start a transfer" }).click();
      assert.deepEqual(await page.evaluate(nameless), []);
      assert.deepEqual(await page.evaluate(faint), []);
      assert.ok((await page.evaluate(overflow)) <= 0, "the dialog scrolls sideways");
      if (width === 360) await shot(page, `${colorScheme}-${width}-start`);
      await context.close();
    });
  }
}

test("notes are left on a transfer, and deleted", async () => {
  const { page, errors, context } = await open(world);
  await start(page, "notes.txt");
  await status(page, "succeeded");
  const notes = page.locator("#notes li");
  for (const text of ["seen, and fine", "<b>not bold</b>"]) {
    await page.getByLabel("A note for whoever looks at this").fill(text);
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await notes.filter({ hasText: text }).waitFor();
  }
  assert.equal(await page.locator("#notes b").count(), 0);
  await shot(page, "notes");
  await page.reload();
  await notes.nth(1).waitFor();
  assert.equal(await notes.count(), 2);
  await page.getByRole("button", { name: /Delete the note/ }).first().click();
  await until(() => notes.count(), (count) => count === 1);
  assert.match(await notes.textContent(), /<b>not bold<\/b>/);
  assert.deepEqual(await page.evaluate(nameless), []);
  assert.deepEqual(errors, []);
  await context.close();
});
