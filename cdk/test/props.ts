// The tables of properties in the README are those of the sources. UPDATE=1 npm test writes them anew.
import * as assert from 'node:assert';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { PACKAGE } from './support';

const README = path.join(PACKAGE, 'README.md');
const [BEGIN, END] = ['<!-- properties -->', '<!-- end of properties -->'];

/** Interfaces in the order of the README, with what they are called there. */
const TABLES: readonly (readonly [string, string])[] = [
  ['AppConfig', 'The config file, beside the properties of transload'],
  ['TransloadProps', 'transload'],
  ['RetentionProps', 'transload: what is kept'],
  ['LocationProps', 'A location: `locations.NAME`'],
  ['LocationBucket', 'A bucket of a location: `buckets[]`'],
  ['LocationCredentials', 'Where credentials are read: `credentials`'],
  ['WebIdentity', '`credentials.webIdentity`'],
  ['RouteProps', 'A route: `routes[]`'],
  ['RouteEnd', '`source` and `destination` of a route'],
  ['SyncOptions', '`sync` of a route'],
  ['SyncDeletes', '`sync.delete`'],
  ['SyncBudget', '`sync.budget`'],
  ['TransferOptions', '`options` of a route'],
  ['TransferEncryption', '`options.encryption`'],
  ['TransferThaw', '`options.thaw`'],
  ['TransferWindow', '`options.window`'],
  ['LocationFiles', '`files` of a location'],
  ['NetworkProps', '`network`'],
  ['HttpsProps', '`https`'],
  ['BrowseProps', '`browse`'],
];

interface Property {
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
  readonly text: string;
  readonly standard?: string;
}

const SOURCES = fs
  .readdirSync(path.join(PACKAGE, 'lib'))
  .map((file) => fs.readFileSync(path.join(PACKAGE, 'lib', file), 'utf8'))
  .join('\n');

/** The properties of an interface, from its source. */
function properties(name: string): Property[] {
  const body = new RegExp(`export interface ${name}\\b[^{]*\\{\\n([^]*?)\\n\\}`).exec(SOURCES)?.[1] ?? '';
  return [...body.matchAll(/\/\*\*([^]*?)\*\/\s*readonly (\w+)(\??): ([^;]+(?:;[^;\n]*\})?);/g)].map(
    ([, comment, property, optional, type]) => {
      const text = comment
        .split('\n')
        .map((line) => line.replace(/^\s*\* ?/, '').trim())
        .join(' ')
        .trim();
      const [description, standard] = text.split('@default');
      return {
        name: property,
        type,
        optional: optional === '?',
        text: description.trim(),
        standard: standard?.trim().replace(/^- /, ''),
      };
    },
  );
}

function table([name, title]: readonly [string, string]): string {
  const cell = (text: string): string => text.replace(/\|/g, '\\|').replace(/[<>]/g, '\\$&');
  const rows = properties(name).map(
    ({ name: property, text, standard }) => `| \`${property}\` | ${cell(text)} | ${cell(standard ?? '(required)')} |`,
  );
  return [`**${title}**`, '', '| property | | default |', '|---|---|---|', ...rows].join('\n');
}

test('every property says what it is, and every optional one its default', () => {
  for (const [name] of TABLES) {
    const found = properties(name);
    assert.ok(found.length > 0, name);
    for (const { name: property, optional, text, standard } of found) {
      assert.ok(text.length > 5, `${name}.${property} says nothing`);
      assert.strictEqual(
        standard !== undefined && standard !== '',
        optional,
        `${name}.${property}: a default exactly if it is optional`,
      );
    }
  }
});

test('no property is left out of the tables', () => {
  const all = SOURCES.match(/^ {2}readonly \w+\??: /gm)?.length ?? 0;
  assert.ok(all > 60);
  assert.strictEqual(
    properties('TransloadProps').length,
    (/export interface TransloadProps[^]*?\n\}/.exec(SOURCES)?.[0].match(/^ {2}readonly /gm) ?? []).length,
  );
});

test("the README's tables are those of the sources", () => {
  const readme = fs.readFileSync(README, 'utf8');
  const [before, rest] = readme.split(BEGIN);
  const [found, after] = (rest ?? '').split(END);
  const expected = `\n${TABLES.map(table).join('\n\n')}\n`;
  if (process.env.UPDATE === '1') {
    fs.writeFileSync(README, `${before}${BEGIN}${expected}${END}${after}`);
    return;
  }
  assert.deepStrictEqual(found.split('\n'), expected.split('\n'));
});
