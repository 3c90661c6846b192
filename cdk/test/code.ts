// What is deployed as a function: the zip that was built, else its folder.
import * as assert from 'node:assert';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { FUNCTIONS } from '../lib/grants';
import { LEAST, app } from './support';
import { TransloadStack } from '../lib/transload-stack';

/** A folder of binaries and of zips, of which one may be older than its binary. */
function built(stale?: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'transload-code-'));
  for (const name of FUNCTIONS) {
    fs.mkdirSync(path.join(folder, name));
    const bootstrap = path.join(folder, name, 'bootstrap');
    fs.writeFileSync(bootstrap, name);
    fs.writeFileSync(path.join(folder, `${name}.zip`), `zip of ${name}`);
    const time = name === stale ? 2_000 : 1_000;
    fs.utimesSync(bootstrap, time, time);
    fs.utimesSync(path.join(folder, `${name}.zip`), 1_000, 1_000);
  }
  return folder;
}

function synthesise(code: string): string {
  const made = app();
  new TransloadStack(made, 'transload', { transload: { ...LEAST, code } });
  return made.synth().directory;
}

test('when there are zips, they are deployed as they are', () => {
  const folder = built();
  const assembly = synthesise(folder);
  const assets = fs.readdirSync(assembly).filter((name) => name.endsWith('.zip'));
  const texts = assets.map((name) => fs.readFileSync(path.join(assembly, name), 'utf8')).sort();
  assert.deepStrictEqual(texts, FUNCTIONS.map((name) => `zip of ${name}`).sort());
  fs.rmSync(folder, { recursive: true });
});

test('when a zip is older than its binary, it is refused', () => {
  const folder = built('part');
  assert.throws(() => synthesise(folder), /part\.zip, found one older than .*part\/bootstrap; zip it anew/);
  fs.rmSync(folder, { recursive: true });
});
