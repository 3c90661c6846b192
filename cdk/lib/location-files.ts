// A place that is a file system: what is said of it, what is refused, and how the functions read it.
import { Token } from 'aws-cdk-lib';
import { LocationFiles, LocationProps } from './location-props';
import { Fields, Problem, at, checkFields, checkForm, checkRange } from './problem';

/** Where functions mount it: Lambda wants a folder of /mnt. */
export const MOUNT = '/mnt/transload';

const FIELDS: Fields<LocationFiles> = {
  accessPointArn: 'text',
  fileSystemArn: 'text',
  roots: 'map',
  mode: 'text',
  directoryMode: 'text',
  lowCredits: 'number',
};
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const ROOT = /^(\/|(\/(?!\.{1,2}(\/|$))[^/\u0000]{1,255})+)$/u;
const MODE = /^0?[0-7]{3}$/;

/** The roots, as buckets are named. */
export function rootsOf(files: LocationFiles): { [bucket: string]: string } {
  return files.roots ?? { files: '/' };
}

/** Refuses what can not be a file system. */
export function checkFiles(path: string, props: LocationProps): void {
  const { files = {}, ...others } = props;
  const field = Object.entries(others).find(([, found]) => found !== undefined)?.[0];
  if (field !== undefined) {
    throw new Problem(
      at(path, field),
      'nothing beside files, which is no place of S3',
      others[field as keyof typeof others],
    );
  }
  const own = at(path, 'files');
  checkFields(own, files, FIELDS);
  const arn = (kind: string): RegExp => new RegExp(`^arn:[^:]+:elasticfilesystem:[^:]+:\\d{12}:${kind}/\\S+$`);
  checkForm(at(own, 'accessPointArn'), files.accessPointArn, arn('access-point'), 'ARN of an access point of EFS');
  checkForm(at(own, 'fileSystemArn'), files.fileSystemArn, arn('file-system'), 'ARN of a file system of EFS');
  if ((files.accessPointArn === undefined) !== (files.fileSystemArn === undefined)) {
    throw new Problem(own, 'accessPointArn and fileSystemArn together (an existing one) or neither (a new one)');
  }
  checkForm(at(own, 'mode'), files.mode, MODE, 'three octal digits, such as 0640');
  checkForm(at(own, 'directoryMode'), files.directoryMode, MODE, 'three octal digits, such as 0750');
  checkRange(at(own, 'lowCredits'), files.lowCredits, 1, Number.MAX_SAFE_INTEGER);
  if (files.lowCredits !== undefined && files.accessPointArn === undefined) {
    throw new Problem(
      at(own, 'lowCredits'),
      'accessPointArn beside it, for a new file system has no burst credits',
      files.lowCredits,
    );
  }
  checkRoots(at(own, 'roots'), files);
}

function checkRoots(path: string, files: LocationFiles): void {
  const roots = Object.entries(rootsOf(files));
  if (roots.length === 0) {
    throw new Problem(path, 'at least one folder, {"files": "/"}; found none');
  }
  for (const [name, folder] of roots) {
    checkForm(path, name, BUCKET_NAME, 'names of 3 to 63 lower-case letters, digits, hyphens and dots');
    checkForm(at(path, name), folder, ROOT, 'a path beneath the access point that begins with / and has no .. in it');
    // A new file system has no folder yet but the one that the access point makes.
    if (files.accessPointArn === undefined && folder !== '/' && !Token.isUnresolved(folder)) {
      throw new Problem(at(path, name), '/ for a new file system, which has no folders yet', folder);
    }
  }
}

/** As the functions read it. What is not mounted is not written to: its folder would take the bytes. */
export function filesJson(files: LocationFiles): Record<string, unknown> {
  const roots = Object.entries(rootsOf(files)).map(([name, folder]) => [
    name,
    folder === '/' ? MOUNT : `${MOUNT}${folder}`,
  ]);
  return {
    kind: 'file',
    roots: Object.fromEntries(roots) as Record<string, string>,
    mounted: true,
    mode: files.mode,
    directory_mode: files.directoryMode,
  };
}
