// Which processor the functions' binaries are for: said, or seen in what was built.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Annotations } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { FUNCTIONS } from './grants';
import { Problem } from './problem';

/** `e_machine` of ELF, and what Lambda calls it. */
const MACHINES: Readonly<Record<number, string>> = { 0x3e: 'x86_64', 0xb7: 'arm64' };

/** What is built where nobody says otherwise. */
const USUAL = 'arm64';

/** The processor that a binary is for; none for what is no binary. */
export function builtFor(bootstrap: string): string | undefined {
  const head = Buffer.alloc(20);
  const file = fs.openSync(bootstrap, 'r');
  try {
    const read = fs.readSync(file, head, 0, head.length, 0);
    const elf = read === head.length && head.subarray(0, 4).toString('latin1') === '\x7fELF';
    return elf ? MACHINES[head.readUInt16LE(18)] : undefined;
  } finally {
    fs.closeSync(file);
  }
}

/** The processor to deploy for: as it is written, else as the binaries are, which is told where it is not the usual one. */
export function architectureOf(scope: Construct, written: string | undefined, code: string): string {
  if (written !== undefined) {
    return written;
  }
  const bootstrap = path.resolve(code, FUNCTIONS[0], 'bootstrap');
  const found = fs.existsSync(bootstrap) ? builtFor(bootstrap) : undefined;
  if (found !== undefined && found !== USUAL) {
    Annotations.of(scope).addInfo(
      `architecture: no binaries for ${USUAL} in ${path.resolve(code)}; those for ${found} are deployed (../build-lambdas builds the others)`,
    );
  }
  return found ?? USUAL;
}

/** A binary for another processor would not start. */
export function checkArchitecture(written: string, bootstrap: string): void {
  const found = builtFor(bootstrap);
  if (found !== undefined && found !== written) {
    throw new Problem('architecture', `${found}, for which ${bootstrap} is built`, written);
  }
}
