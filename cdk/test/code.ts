// What is deployed as a function: the zip that was built, else its folder.
import * as assert from 'node:assert';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { FUNCTIONS } from '../lib/grants';
import { LEAST, Template, app, ofType } from './support';
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

/** Binaries of which no more than the head is there. */
function elf(machine: number): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'transload-code-'));
  const head = Buffer.alloc(64);
  head.write('\x7fELF', 'latin1');
  head.writeUInt16LE(machine, 18);
  for (const name of FUNCTIONS) {
    fs.mkdirSync(path.join(folder, name));
    fs.writeFileSync(path.join(folder, name, 'bootstrap'), head);
  }
  return folder;
}

function architectures(machine: number, architecture?: string): { found: unknown[]; told: string[] } {
  const code = elf(machine);
  const made = app();
  new TransloadStack(made, 'transload', { transload: { ...LEAST, code, architecture } });
  const assembly = made.synth().getStackByName('transload');
  fs.rmSync(code, { recursive: true });
  const functions = ofType(assembly.template as Template, 'AWS::Lambda::Function');
  return {
    found: [...new Set(functions.map(([, { Properties }]) => Properties.Architectures[0]))],
    told: assembly.messages.map(({ entry }) => String(entry.data)).filter((text) => text.startsWith('architecture')),
  };
}

test('when no processor is written, that of the binaries is deployed, and a line says so', () => {
  assert.deepStrictEqual(architectures(0xb7), { found: ['arm64'], told: [] });
  const { found, told } = architectures(0x3e);
  assert.deepStrictEqual(found, ['x86_64']);
  assert.strictEqual(told.length, 1);
  assert.match(told[0], /no binaries for arm64 in .*; those for x86_64 are deployed/);
});

test('when a processor is written that the binaries are not for, it is refused', () => {
  assert.deepStrictEqual(architectures(0x3e, 'x86_64'), { found: ['x86_64'], told: [] });
  assert.throws(
    () => architectures(0x3e, 'arm64'),
    /architecture: expected x86_64, for which .*head\/bootstrap is built, found "arm64"/,
  );
});
