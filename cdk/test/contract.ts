// What is written here for the functions is what their code reads.
import * as assert from 'node:assert';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { MANY, PACKAGE, flat, ofType, one, synth } from './support';

const source = (...file: string[]): string => fs.readFileSync(path.join(PACKAGE, '..', 'functions', ...file), 'utf8');

/** Names of a struct's public fields. */
function fields(text: string, struct: string): string[] {
  const body = new RegExp(`pub struct ${struct} \\{([^]*?)\\n\\}`).exec(text)?.[1] ?? '';
  return [...body.matchAll(/^ {4}pub (\w+):/gm)].map((match) => match[1]);
}

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

test('a location has no field that the functions do not know', () => {
  const known = fields(source('store', 'src', 'location', 'mod.rs'), 'Location');
  assert.ok(known.includes('path_style'));
  const [[, { Properties }]] = ofType(synth(MANY), 'AWS::Lambda::Function');
  const { locations } = JSON.parse(flat(Properties.Environment.Variables.TRANSLOAD_LOCATIONS)) as {
    locations: Record<string, object>;
  };
  const written = new Set(Object.values(locations).flatMap((location) => Object.keys(location)));
  assert.deepStrictEqual(
    [...written].filter((name) => !known.includes(name)),
    [],
  );
  // Those that no test location sets.
  const text = fs.readFileSync(path.join(PACKAGE, 'lib', 'location.ts'), 'utf8');
  const json = /_json\(\)[^]*?return \{([^]*?)\n {4}\};/.exec(text)?.[1] ?? '';
  const all = [...json.matchAll(/^ {6}(\w+):/gm)].map((match) => match[1]);
  assert.ok(all.length > 10);
  assert.deepStrictEqual(
    all.filter((name) => !known.includes(name)),
    [],
  );
});

test('the options of a route are those of a transfer', () => {
  const known = fields(source('wire', 'src', 'options.rs'), 'Options').map(camel);
  const text = fs.readFileSync(path.join(PACKAGE, 'lib', 'transfer.ts'), 'utf8');
  const body = /export interface TransferOptions \{([^]*?)\n\}/.exec(text)?.[1] ?? '';
  const own = [...body.matchAll(/readonly (\w+)\?:/g)].map((match) => match[1]);
  assert.ok(known.length > 10);
  assert.deepStrictEqual(own.sort(), known.sort());
});

const own = (file: string, interface_: string): string[] => {
  const text = fs.readFileSync(path.join(PACKAGE, 'lib', file), 'utf8');
  const body = new RegExp(`export interface ${interface_} \\{([^]*?)\\n\\}`).exec(text)?.[1] ?? '';
  return [...body.matchAll(/readonly (\w+)\?:/g)].map((match) => match[1]);
};

test('how a route is compared is what the functions read, but for the mode and a table of prices', () => {
  const wire = source('wire', 'src', 'sync.rs');
  const known = fields(wire, 'SyncOptions').map(camel);
  assert.ok(known.length > 15);
  assert.deepStrictEqual([...own('sync.ts', 'SyncOptions'), 'mode'].sort(), known.sort());
  assert.deepStrictEqual(own('sync.ts', 'SyncBudget').sort(), fields(wire, 'Budget').map(camel).sort());
  assert.deepStrictEqual(own('sync.ts', 'SyncDeletes').sort(), fields(wire, 'Deletes').map(camel).sort());
});

test('the defaults that are told of a comparison are those of the functions', () => {
  const wire = source('wire', 'src', 'sync.rs');
  const text = fs.readFileSync(path.join(PACKAGE, 'lib', 'sync.ts'), 'utf8');
  const told = [...text.matchAll(/@default (\d+)\n +\*\/\n +readonly (\w+)\?: number/g)];
  const block = /impl Default for SyncOptions \{([^]*?)\n\}/.exec(wire)?.[1] ?? '';
  const defaults = new Map<string, number>([
    ...[...block.matchAll(/(\w+): (\d[\d_]*)(?: << (\d+))?,/g)].map(([, name, value, shift]): [string, number] => [
      camel(name),
      Number(value) * 2 ** Number(shift ?? 0),
    ]),
    ...[...wire.matchAll(/const fn default_(\w+)\(\) -> u\d+ \{\s+([\d_]+)\s+\}/g)].map(
      ([, name, value]): [string, number] => [camel(`max_${name}`), Number(value.replaceAll('_', ''))],
    ),
  ]);
  assert.strictEqual(told.length, 9);
  for (const [, value, name] of told) {
    assert.strictEqual(Number(value), defaults.get(name), name);
  }
});

test("the input of a route's schedule has the fields of a request", () => {
  const wire = source('wire', 'src', 'sync.rs');
  const rule = one(synth(MANY), 'AWS::Events::Rule', 'TransloadRouteparameterSchedule');
  const input = JSON.parse(rule.Properties.Targets[0].Input as string) as Record<string, object>;
  // A plan and a manifest are of one run.
  const known = fields(wire, 'SyncRequest').filter((name) => !['manifest', 'plan'].includes(name));
  assert.deepStrictEqual(Object.keys(input).sort(), known.sort());
  assert.deepStrictEqual(Object.keys(input.source).sort(), fields(wire, 'Tree').sort());
});

test("the fields of the machine's input are those of a request", () => {
  const known = fields(source('wire', 'src', 'place.rs'), 'TransferRequest');
  const rule = one(synth(MANY), 'AWS::Events::Rule', 'TransloadRouteparameterRule');
  const template = rule.Properties.Targets[0].InputTransformer.InputTemplate as string;
  const input = JSON.parse(template.replaceAll('<detail-object-key>', '"k"')) as object;
  assert.deepStrictEqual(Object.keys(input), ['source', 'destination', 'options', 'route']);
  const unknown = Object.keys(input).filter((name) => !known.includes(name));
  assert.deepStrictEqual(unknown, []);
});
