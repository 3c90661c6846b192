// Before `npm pack`: puts definitions and binaries into the package, for beside it there is no repository.
import * as fs from 'node:fs';
import * as path from 'node:path';

const here = path.resolve(path.dirname(new URL(import.meta.url).pathname), '..');
const repository = path.join(here, '..');
const binaries = path.join(repository, 'target', 'lambda');
const missing = [
  'head',
  'init',
  'part',
  'complete',
  'copy',
  'abort',
  'remove',
  'thaw',
  'list',
  'batch',
  'delete',
  'report',
].filter((name) => !fs.existsSync(path.join(binaries, name, 'bootstrap')));
if (missing.length > 0) {
  console.error(
    `${binaries}: expected the binaries of ${missing.join(', ')}, found none; build them with ../build-lambdas`,
  );
  process.exit(1);
}
for (const name of ['object', 'janitor']) {
  fs.mkdirSync(path.join(here, 'statemachine'), { recursive: true });
  fs.copyFileSync(
    path.join(repository, 'statemachine', `${name}.asl.json`),
    path.join(here, 'statemachine', `${name}.asl.json`),
  );
}
// A zip that is older than its binary would be refused.
fs.cpSync(binaries, path.join(here, 'lambda'), { recursive: true, dereference: true, preserveTimestamps: true });
