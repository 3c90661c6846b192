// What people are given to start from is what the app takes: configs of the documents, and one that was imported.
import * as assert from 'node:assert';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../lib/config';
import { CODE, MANY, PACED, PACKAGE, TOLD, Template, ofType, short, synth } from './support';

const OPERATIONS = fs.readFileSync(path.join(PACKAGE, '..', 'docs', 'operations.md'), 'utf8');

/** The template of a config's text. */
function templateOf(text: string): Template {
  const file = path.join(fs.mkdtempSync(path.join(CODE, 'document-')), 'config.json');
  fs.writeFileSync(file, text);
  const { stackName: _name, account: _account, region, ...props } = readConfig(file);
  return synth({ ...props, code: CODE }, { account: '111111111111', region: region ?? 'eu-west-1' });
}

test('an imported config is one, with its ignore list and its prefix in the rules', () => {
  const template = templateOf(fs.readFileSync(path.join(PACKAGE, 'test', 'imported.config.json'), 'utf8'));
  const keys = ofType(template, 'AWS::Events::Rule').map(
    ([, rule]) => rule.Properties.EventPattern.detail?.object?.key,
  );
  assert.deepStrictEqual(
    keys.filter((key) => key !== undefined),
    [
      [{ 'anything-but': { wildcard: ['exact.mp4', 'exact.*', 'your_*', '*/nobody/readme.md', 'nobody/readme.md'] } }],
      [{ prefix: 'raw/' }],
    ],
  );
});

test('every config in the document on operations is one', () => {
  const configs = [...OPERATIONS.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => text);
  // What the routes are started by, and the janitor.
  assert.deepStrictEqual(
    configs.map((config) => ofType(templateOf(config), 'AWS::Events::Rule').length),
    [3, 2, 2],
  );
});

test('every alarm is explained in the document on operations', () => {
  const table = OPERATIONS.slice(OPERATIONS.indexOf('| alarm |'), OPERATIONS.indexOf('## What the alarms do not see'));
  const explained = table
    .split('\n')
    .slice(2)
    .flatMap((line) => (line.split('|')[1] ?? '').split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .map(
      (name) =>
        new RegExp(`^${name.replace('*N*', '\\d+').replace('*Route*', '.+').replace('*Function*', '[A-Z][a-z]+')}$`),
    );
  const alarms = [MANY, TOLD, PACED]
    .flatMap((props) => ofType(synth(props), 'AWS::CloudWatch::Alarm'))
    .map(([id]) => short(id).replace(/^Transload(Observability|Credits)/, ''));
  for (const alarm of alarms) {
    assert.ok(
      explained.some((name) => name.test(alarm)),
      alarm,
    );
  }
  for (const name of explained) {
    assert.ok(
      alarms.some((alarm) => name.test(alarm)),
      `${name} is no alarm`,
    );
  }
});
