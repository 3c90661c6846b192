// The whole template, as it is deployed from the example: a change of it is seen before it is made.
// UPDATE=1 npm test writes it anew.
import * as assert from 'node:assert';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../lib/config';
import { definitionFile } from '../lib/files';
import { CODE, FILED, LINKED, MANY, OWN, PACKAGE, SHOWN, TOLD, Template, synth } from './support';

const FOLDER = path.join(PACKAGE, 'test', 'snapshots');

/** Binaries change with every build, and the definitions stand in files of their own. */
function readable(template: Template): string {
  const definitions = new Map(
    ['object', 'bucket', 'janitor', 'notifications'].map((name) => [
      fs.readFileSync(definitionFile(name), 'utf8'),
      `<statemachine/${name}.asl.json>`,
    ]),
  );
  return `${JSON.stringify(
    template,
    (name, value: unknown) => {
      if (name === 'DefinitionString') {
        return definitions.get(value as string) ?? value;
      }
      if (name === 'DashboardBody') {
        return value;
      }
      return typeof value === 'string' ? value.replace(/\b[0-9a-f]{64}\b/, '<asset>') : value;
    },
    2,
  )}\n`;
}

/** For linters, which want the definitions too. */
function keep(name: string, template: Template): void {
  const folder = path.join(PACKAGE, 'build', 'templates');
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, `${name}.json`), JSON.stringify(template, null, 1));
}

function compare(name: string, template: Template): void {
  const file = path.join(FOLDER, `${name}.template.json`);
  keep(name, template);
  const text = readable(template);
  if (process.env.UPDATE === '1') {
    fs.mkdirSync(FOLDER, { recursive: true });
    fs.writeFileSync(file, text);
  }
  assert.ok(fs.existsSync(file), `no ${file}: UPDATE=1 npm test writes it`);
  // Lines, so that a difference is shown where it is.
  assert.deepStrictEqual(text.split('\n'), fs.readFileSync(file, 'utf8').split('\n'));
}

test("the example's template is the one on record", () => {
  const { stackName, account, region, ...transload } = readConfig(path.join(PACKAGE, 'transload.example.json'));
  assert.deepStrictEqual([stackName, account], ['transload', undefined]);
  compare('example', synth({ ...transload, code: CODE }, { region }));
});

test('the other way round, in the China partition, too', () => {
  compare(
    'from-china',
    synth(
      {
        code: CODE,
        locations: {
          china: { region: 'cn-north-1', buckets: [{ name: 'photos-cn' }] },
          global: {
            region: 'eu-west-1',
            credentials: { parameter: '/transload/global' },
            buckets: [{ name: 'photos' }],
          },
        },
        routes: [
          {
            name: 'photos-home',
            source: { location: 'china', bucket: 'photos-cn' },
            destination: { location: 'global', bucket: 'photos' },
            ignore: ['*.tmp'],
          },
        ],
      },
      { region: 'cn-north-1' },
    ),
  );
});

test('the definitions are on record nowhere but in their own files', () => {
  keep('many', synth(MANY));
  keep('own', synth(OWN));
  keep('told', synth(TOLD));
  keep('shown', synth({ ...MANY, browse: { issuer: 'https://issuer.example.com/', audience: ['transload'] } }));
  keep('signed', synth(SHOWN));
  keep('filed', synth(FILED));
  keep('linked', synth(LINKED));
  for (const file of fs.readdirSync(FOLDER)) {
    const text = fs.readFileSync(path.join(FOLDER, file), 'utf8');
    assert.match(text, /"DefinitionString": "<statemachine\/object\.asl\.json>"/);
    assert.match(text, /"DefinitionString": "<statemachine\/bucket\.asl\.json>"/);
    assert.doesNotMatch(text, /QueryLanguage/);
  }
});
