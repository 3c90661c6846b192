// Where definitions and binaries lie: in the repository beside this folder, or in the package that was made of it.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Problem } from './problem';

/** The folder of package.json: sources are in lib, what the compiler makes of them in build/lib. */
function packageFolder(): string {
  let folder = __dirname;
  while (!fs.existsSync(path.join(folder, 'package.json'))) {
    const parent = path.dirname(folder);
    if (parent === folder) {
      throw new Problem('code', 'a package.json above this library, found none');
    }
    folder = parent;
  }
  return folder;
}

/** The first that exists, else the last, which is then missed by its name. */
function find(...places: string[]): string {
  return places.find((place) => fs.existsSync(place)) ?? places[places.length - 1];
}

/** The file of a definition. */
export function definitionFile(name: string): string {
  const file = path.join('statemachine', `${name}.asl.json`);
  return find(path.join(packageFolder(), file), path.join(packageFolder(), '..', file));
}

/** The folder of the binaries. */
export function defaultCode(): string {
  return find(path.join(packageFolder(), 'lambda'), path.join(packageFolder(), '..', 'target', 'lambda'));
}
