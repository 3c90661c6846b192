// What the tests of the page have: two S3 places (those of `transload local`), a gate in front of the second one, the program
// that serves the page, and a browser that may go nowhere else.
import { spawn } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, connect } from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const root = resolve(import.meta.dirname, "../..");
const require = createRequire(join(root, "target/console/"));
const built = resolve(root, process.env.CARGO_TARGET_DIR || "target");

/** The browser that `check` found, or the one that Debian installs. */
const chromium = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Starts the program; resolves with its first line, which is JSON. */
async function program(folder, args) {
  const env = { PATH: process.env.PATH, HOME: folder };
  const child = spawn(join(built, "debug/transload"), args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (data) => (said += data));
  // Not left behind where a test breaks off.
  process.once("exit", () => child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout });
  const first = await new Promise((found, lost) => {
    lines.once("line", found);
    child.once("error", lost);
    child.once("exit", (code) => lost(new Error(`${args[0]} ended with ${code}: ${said}`)));
  });
  return { child, told: JSON.parse(first) };
}

async function ended({ child }) {
  if (child.exitCode !== null) return;
  const over = new Promise((done) => child.once("exit", done));
  child.kill("SIGINT");
  await over;
}

/** Hands bytes on; once so many went through that it shuts, it takes no more until it is opened. */
async function gate(port) {
  const state = { open: true, left: Infinity, sockets: new Set() };
  const server = createServer((from) => {
    const to = connect(port, "127.0.0.1");
    const pair = [from, to];
    state.sockets.add(pair);
    from.on("data", (data) => {
      const more = to.write(data);
      state.left -= data.length;
      if (state.left < 0 && state.open) shut();
      if (!more || !state.open) from.pause();
    });
    to.on("drain", () => state.open && from.resume());
    to.pipe(from);
    const close = () => {
      pair.forEach((socket) => socket.destroy());
      state.sockets.delete(pair);
    };
    pair.forEach((socket) => socket.on("close", close).on("error", close));
  });
  const shut = () => {
    state.open = false;
    for (const [from] of state.sockets) from.pause();
  };
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    endpoint: `http://127.0.0.1:${server.address().port}`,
    shutAfter: (bytes) => (state.left = bytes),
    open: () => {
      Object.assign(state, { open: true, left: Infinity });
      for (const [from] of state.sockets) from.resume();
    },
    end: () => {
      for (const pair of state.sockets) pair.forEach((socket) => socket.destroy());
      return new Promise((done) => server.close(done));
    },
  };
}

const hash = (text) => createHash("sha256").update(text).digest("hex");
const mac = (key, text) => createHmac("sha256", key).update(text).digest();

/** A signed PUT: of a bucket, or of an object with these headers too. */
export async function put(place, path, body = "", more = {}) {
  const file = readFileSync(place.credentials, "utf8");
  const [id, secret] = ["aws_access_key_id", "aws_secret_access_key"].map((name) => new RegExp(`${name} = (\\S+)`).exec(file)[1]);
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const url = new URL(path, place.endpoint);
  const headers = { host: url.host, "x-amz-content-sha256": "UNSIGNED-PAYLOAD", "x-amz-date": date, ...more };
  const names = Object.keys(headers).sort();
  const canonical = ["PUT", url.pathname, "", ...names.map((name) => `${name}:${headers[name]}`), "", names.join(";"), "UNSIGNED-PAYLOAD"].join("\n");
  const scope = [date.slice(0, 8), place.region, "s3", "aws4_request"];
  const key = scope.reduce((key, part) => mac(key, part), `AWS4${secret}`);
  const signature = mac(key, ["AWS4-HMAC-SHA256", date, scope.join("/"), hash(canonical)].join("\n")).toString("hex");
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${id}/${scope.join("/")}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  const answer = await fetch(url, { method: "PUT", headers, body });
  if (!answer.ok) throw new Error(`PUT ${path}: ${answer.status} ${await answer.text()}`);
}

/** Makes a bucket; outside of the first Region it has to be said where. */
export const bucket = (place, name) => put(place, `/${name}`, place.region === "us-east-1" ? "" :
  `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>${place.region}</LocationConstraint></CreateBucketConfiguration>`);

function locations(told, endpoint) {
  const location = (name, place, url, partition) => `[locations.${name}]
kind = "s3"
partition = "${partition}"
region = "${place.region}"
endpoint = "${url}"
allow_http = true
path_style = true
credentials = { file = "${place.credentials}" }
`;
  return location("global", told.source, told.source.endpoint, "aws") + location("china", told.destination, endpoint, "aws-cn");
}

/** Two places with a bucket each, a gate, a browser, a folder; and how they end. */
export async function places() {
  const folder = mkdtempSync(join(tmpdir(), "transload-console-"));
  const local = await program(folder, ["local", "--home", join(folder, "places"), "--s3-port", "0", "--sfn-port", "0", "--output", "json"]);
  const { source, destination } = local.told;
  await bucket(source, "album");
  await bucket(destination, "album-cn");
  const between = await gate(Number(new URL(destination.endpoint).port));
  writeFileSync(join(folder, "transload.toml"), locations(local.told, between.endpoint));
  const { chromium: driver } = require("playwright-core");
  const browser = await driver.launch({ executablePath: chromium, args: ["--no-sandbox"] });
  const end = async () => {
    await browser.close();
    await between.end();
    await ended(local);
    rmSync(folder, { recursive: true });
  };
  return { folder, source, destination, gate: between, browser, end };
}

/** Everything, and how it ends. */
export async function bench() {
  const two = await places();
  const console = await program(two.folder, ["console", "--home", join(two.folder, "home"), "--port", "0", "--output", "json"]);
  const end = async () => {
    two.gate.open();
    await ended(console);
    await two.end();
  };
  return { ...two, url: console.told.url, end };
}

/** Runs the program to its end. */
export async function run(folder, args) {
  const child = spawn(join(built, "debug/transload"), args, { cwd: folder, env: { PATH: process.env.PATH, HOME: folder } });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (data) => (stdout += data));
  child.stderr.on("data", (data) => (stderr += data));
  const code = await new Promise((done) => child.once("close", done));
  return { code, stdout, stderr };
}

/** The console, which notes each address it asks and each error it meets. */
export async function open(bench, options = {}) {
  const opened = await visit(bench, bench.url, options);
  await opened.page.getByRole("heading", { name: "Places" }).waitFor();
  return opened;
}

/** As `open`, of any address. */
export async function visit(bench, url, options = {}) {
  const context = await bench.browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const asked = [];
  const errors = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(url);
  return { page, asked, errors, context };
}

export const shots = process.env.SCREENSHOTS && existsSync(process.env.SCREENSHOTS) ? process.env.SCREENSHOTS : null;

/** A picture for people to look at, where SCREENSHOTS names a folder. */
export async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}
