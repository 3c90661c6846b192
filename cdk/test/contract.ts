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

test("the fields of the machine's input are those of a request", () => {
  const known = fields(source('wire', 'src', 'place.rs'), 'TransferRequest');
  const rule = one(synth(MANY), 'AWS::Events::Rule', 'TransloadRouteparameter');
  const template = rule.Properties.Targets[0].InputTransformer.InputTemplate as string;
  const input = JSON.parse(template.replaceAll('<detail-object-key>', '"k"')) as object;
  assert.deepStrictEqual(Object.keys(input), ['source', 'destination', 'options', 'route']);
  const unknown = Object.keys(input).filter((name) => !known.includes(name));
  assert.deepStrictEqual(unknown, []);
});
