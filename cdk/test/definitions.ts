// A definition that does not fit is refused: what is deployed would fail at its first execution, or never be redriven.
import * as assert from 'node:assert';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { definitionFile } from '../lib/files';
import { CODE, LEAST, stack, synth } from './support';

/** A folder with the definitions, one of them changed. */
function changed(name: string, change: (text: string) => string): string {
  const folder = fs.mkdtempSync(path.join(CODE, 'definitions-'));
  for (const one of ['object', 'bucket', 'janitor']) {
    const text = fs.readFileSync(definitionFile(one), 'utf8');
    fs.writeFileSync(path.join(folder, `${one}.asl.json`), one === name ? change(text) : text);
  }
  return folder;
}

const refused = (name: string, change: (text: string) => string, expected: RegExp): void => {
  assert.throws(() => stack({ ...LEAST, definitions: changed(name, change) }), expected);
};

test('a placeholder that nobody fills is refused', () => {
  refused(
    'object',
    (text) => text.replace('${CopyFunctionArn}', '${CopyFunctoinArn}'),
    /^Problem: definitions: expected the placeholders AbortFunctionArn, .* in .*object\.asl\.json, found \[.*"CopyFunctoinArn"/,
  );
  refused(
    'janitor',
    (text) => text.replace('${AbortFunctionArn}', '${HeadFunctionArn}'),
    /^Problem: definitions: expected the placeholders AbortFunctionArn in .*janitor\.asl\.json/,
  );
});

test('a value that has no placeholder is refused', () => {
  refused(
    'object',
    (text) => text.replaceAll('${ResultsBucket}', 'my-bucket'),
    /^Problem: definitions: expected the placeholders .*ResultsBucket/,
  );
});

test('a Distributed Map without a label is refused, for no grant could name its children', () => {
  refused(
    'object',
    (text) => text.replace('"Label": "Parts",', ''),
    /^Problem: definitions: expected a Label on each Distributed Map/,
  );
});

test('a definition that the service would not take is refused', () => {
  refused(
    'object',
    (text) => text.replace('"Moves one object', `"${'x'.repeat(1_048_576)}`),
    /^Problem: definitions: expected a definition of at most 1048576 bytes/,
  );
});

test('another label is granted as the definition has it', () => {
  const folder = changed('object', (text) => text.replace('"Label": "Parts",', '"Label": "Pieces",'));
  const text = JSON.stringify(synth({ ...LEAST, definitions: folder }).Resources);
  assert.match(text, /\/Pieces:\*/);
  assert.doesNotMatch(text, /\/Parts:\*/);
});
