// CDK's own check of the templates, which it makes before every deployment: with a flag of cdk.json, what it finds is an error.
import * as assert from 'node:assert';
import { test } from 'node:test';
import { CHINA, FILED, LEAST, LINKED, MANY, OWN, SHOWN, TOLD, synth } from './support';

process.env.CDK_VALIDATION = 'true';

test('the templates pass the rules of CloudFormation', () => {
  for (const props of [LEAST, OWN, MANY, TOLD, SHOWN, FILED, LINKED]) {
    assert.doesNotThrow(() => synth(props));
  }
  assert.doesNotThrow(() => synth(LEAST, CHINA));
});

test('they would not pass with a mistake', () => {
  const network = { subnetIds: ['subnet-1'], securityGroupIds: ['sg-1'] };
  assert.throws(() => synth({ ...LEAST, network }), /[Vv]alidation/);
});
