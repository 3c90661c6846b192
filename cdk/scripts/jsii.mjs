// Compiles the constructs with jsii, which takes only what other languages can use, in a folder of its own.
// jsii writes a tsconfig.json, wants fields of its own in package.json (for registries, so any will do) and compiles the whole folder.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';

const here = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const folder = path.join(here, 'build', 'jsii');
fs.rmSync(folder, { recursive: true, force: true });
fs.mkdirSync(folder, { recursive: true });
fs.cpSync(path.join(here, 'lib'), path.join(folder, 'lib'), { recursive: true });
fs.copyFileSync(path.join(here, 'README.md'), path.join(folder, 'README.md'));
fs.symlinkSync(path.join(here, 'node_modules'), path.join(folder, 'node_modules'));
const { scripts: _, ...manifest } = JSON.parse(fs.readFileSync(path.join(here, 'package.json'), 'utf8'));
fs.writeFileSync(
  path.join(folder, 'package.json'),
  JSON.stringify({
    ...manifest,
    main: 'lib/index.js',
    types: 'lib/index.d.ts',
    stability: 'experimental',
    author: { name: 'transload', organization: true },
    repository: { type: 'git', url: 'https://example.com/transload.git' },
    jsii: { outdir: 'dist', targets: {} },
  }),
);
const jsii = path.join(here, 'node_modules', '.bin', 'jsii');
const env = {
  ...process.env,
  JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '1',
  JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION: '1',
};
const { status } = spawnSync(jsii, [folder], { stdio: 'inherit', env });
process.exitCode = status ?? 1;
