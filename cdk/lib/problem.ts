// Refusals at synth: each begins with the property, says what is expected there, and never repeats what may be a key.
import { Token } from 'aws-cdk-lib';

/** What is wrong with a property, and what to write instead. */
export class Problem extends Error {
  constructor(path: string, expected: string, found?: unknown) {
    super(
      found === undefined ? `${path}: expected ${expected}` : `${path}: expected ${expected}, found ${show(found)}`,
    );
    this.name = 'Problem';
  }
}

function show(found: unknown): string {
  const text = JSON.stringify(found) ?? String(found);
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}

/** What a field holds. */
export type Kind = 'text' | 'texts' | 'number' | 'amount' | 'flag' | 'object' | 'objects' | 'map';

/** Fields of an interface with their kinds. The compiler sees to it that none is left out. */
export type Fields<T> = Readonly<Record<keyof Required<T>, Kind>>;

const isObject = (found: unknown): boolean => typeof found === 'object' && found !== null && !Array.isArray(found);

const KINDS: Readonly<Record<Kind, readonly [string, (found: unknown) => boolean]>> = {
  text: ['a text that is not empty', (found) => typeof found === 'string' && found.length > 0],
  texts: ['a list of texts', (found) => Array.isArray(found) && found.every((one) => typeof one === 'string')],
  number: ['a whole number', (found) => Number.isSafeInteger(found) || Token.isUnresolved(found)],
  amount: ['a number', (found) => Number.isFinite(found) || Token.isUnresolved(found)],
  flag: ['true or false', (found) => typeof found === 'boolean'],
  object: ['an object', isObject],
  objects: ['a list of objects', (found) => Array.isArray(found) && found.every(isObject)],
  map: [
    'an object of names and texts',
    (found) => isObject(found) && Object.values(found as object).every((one) => typeof one === 'string'),
  ],
};

/** Refuses fields that nobody reads (a typing error would be a default otherwise) and values of another kind. */
export function checkFields<T extends object>(path: string, found: T, fields: Fields<T>): void {
  if (!isObject(found)) {
    throw new Problem(path === '' ? 'properties' : path, 'an object', found);
  }
  for (const [name, value] of Object.entries(found)) {
    const kind = (fields as Readonly<Record<string, Kind>>)[name];
    if (kind === undefined) {
      throw new Problem(at(path, name), `no such field; known are ${Object.keys(fields).join(', ')}`);
    }
    const [expected, fits] = KINDS[kind];
    if (value !== undefined && !fits(value)) {
      throw new Problem(at(path, name), expected, value);
    }
  }
}

/** A field's path. */
export function at(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** Refuses a number outside of its range. */
export function checkRange(path: string, found: number | undefined, least: number, most: number): void {
  if (found !== undefined && !Token.isUnresolved(found) && !(found >= least && found <= most)) {
    throw new Problem(path, `${least} to ${most}`, found);
  }
}

/** Refuses a text that is none of these. */
export function checkOneOf(path: string, found: string | undefined, known: readonly string[]): void {
  if (found !== undefined && !Token.isUnresolved(found) && !known.includes(found)) {
    throw new Problem(path, `one of ${known.join(', ')}`, found);
  }
}

/** Refuses a text of another form. */
export function checkForm(path: string, found: string | undefined, form: RegExp, expected: string): void {
  if (found !== undefined && !Token.isUnresolved(found) && !form.test(found)) {
    throw new Problem(path, expected, found);
  }
}

const KEY_NAMES = /^(aws_?)?(access_?key(_?id)?|secret_?(access_?)?key|session_?token|password)$/i;
/** Ids of access keys: of users (AKIA) and of sessions (ASIA). */
const KEY_ID = /(AKIA|ASIA)[A-Z0-9]{16}/;
/** Secret access keys have 40 characters of Base64; ARNs and names have hyphens, colons or dots. */
const SECRET = /^(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9/+]{40}$/;

/** Refuses whatever looks like a key, anywhere: templates, outputs and variables are read by many. */
export function refuseKeys(path: string, found: unknown): void {
  if (typeof found === 'string' && !Token.isUnresolved(found) && (KEY_ID.test(found) || SECRET.test(found))) {
    throw new Problem(path, NO_KEY);
  }
  if (typeof found !== 'object' || found === null || Token.isUnresolved(found)) {
    return;
  }
  for (const [name, value] of Object.entries(found)) {
    const field = Array.isArray(found) ? `${path}[${name}]` : at(path, name);
    if (KEY_NAMES.test(name)) {
      throw new Problem(field, NO_KEY);
    }
    refuseKeys(field, value);
  }
}

const NO_KEY =
  'no key here, for it would end in templates, logs and version control; ' +
  'put it into Secrets Manager (credentials.secret) or an SSM SecureString (credentials.parameter) and write its name';
