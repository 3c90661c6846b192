// The app's config file: the properties of transload, and beside them what the stack is called and where it goes.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Fields, Problem, checkFields, checkForm } from './problem';
import { TRANSLOAD_FIELDS, TransloadProps } from './transload';

/** A config file. */
export interface AppConfig extends TransloadProps {
  /**
   * Name of the stack.
   * @default transload
   */
  readonly stackName?: string;
  /**
   * Account to deploy to.
   * @default - that of the credentials
   */
  readonly account?: string;
  /**
   * Region to deploy to: that of the buckets whose events start transfers.
   * @default - that of the credentials
   */
  readonly region?: string;
}

const FIELDS: Fields<AppConfig> = { ...TRANSLOAD_FIELDS, stackName: 'text', account: 'text', region: 'text' };

/** Reads a config file. Folders in it are relative to it. */
export function readConfig(file: string): AppConfig {
  if (!fs.existsSync(file)) {
    throw new Problem(
      'config',
      `the file ${file}, found none; copy transload.example.json, or name another by -c config=FILE`,
    );
  }
  const config = parse(file);
  checkFields('', config, FIELDS);
  checkForm(
    'stackName',
    config.stackName,
    /^[A-Za-z][A-Za-z0-9-]{0,71}$/,
    '1 to 72 letters, digits and hyphens, the first a letter',
  );
  checkForm('account', config.account, /^\d{12}$/, '12 digits');
  const resolve = (folder: string | undefined): string | undefined =>
    folder === undefined ? undefined : path.resolve(path.dirname(file), folder);
  return { ...config, code: resolve(config.code), definitions: resolve(config.definitions) };
}

/** The parser's own message quotes the text, which may hold a key. */
function parse(file: string): AppConfig {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as AppConfig;
  } catch (error) {
    const position = /position \d+|line \d+ column \d+/.exec((error as Error).message)?.[0];
    throw new Problem('config', `JSON in ${file}${position === undefined ? '' : ` (see ${position})`}`);
  }
}
