// The app: reads a config file (-c config=FILE, else transload.config.json) and makes its stack.
import { App } from 'aws-cdk-lib';
import { readConfig } from '../lib/config';
import { Problem } from '../lib/problem';
import { TransloadStack } from '../lib/transload-stack';

function main(): void {
  const app = new App();
  const file = String(app.node.tryGetContext('config') ?? 'transload.config.json');
  const { stackName = 'transload', account, region, ...transload } = readConfig(file);
  new TransloadStack(app, stackName, {
    description: 'transload: moves S3 objects between places that cannot replicate to each other',
    env: { account: account ?? process.env.CDK_DEFAULT_ACCOUNT, region: region ?? process.env.CDK_DEFAULT_REGION },
    transload,
  });
  app.synth();
}

try {
  main();
} catch (error) {
  if (!(error instanceof Problem)) {
    throw error;
  }
  // One line says what to write; a stack trace would hide it.
  console.error(error.message);
  process.exitCode = 1;
}
