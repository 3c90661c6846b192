// Before `npm pack`: puts definitions and binaries into the package, for beside it there is no repository.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';

const here = path.resolve(path.dirname(new URL(import.meta.url).pathname), '..');
const repository = path.join(here, '..');
const binaries = path.join(repository, 'target', 'lambda');
const names = execFileSync(path.join(repository, 'build-lambdas'), ['--names'], { encoding: 'utf8' })
  .trim()
  .split('\n');
const missing = names.filter((name) => !fs.existsSync(path.join(binaries, name, 'bootstrap')));
if (missing.length > 0) {
  console.error(
    `${binaries}: expected the binaries of ${missing.join(', ')}, found none; build them with ../build-lambdas`,
  );
  process.exit(1);
}
const definitions = path.join(repository, 'statemachine');
fs.mkdirSync(path.join(here, 'statemachine'), { recursive: true });
for (const file of fs.readdirSync(definitions).filter((name) => name.endsWith('.asl.json'))) {
  fs.copyFileSync(path.join(definitions, file), path.join(here, 'statemachine', file));
}
// A zip that is older than its binary would be refused.
fs.cpSync(binaries, path.join(here, 'lambda'), { recursive: true, dereference: true, preserveTimestamps: true });
