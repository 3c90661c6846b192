// URLs as sources: which hosts beside those of the internet, whose signatures are read where, and where what they give may be written.
import { ArnFormat, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { acknowledgeResource } from './acknowledge';
import { FunctionName } from './grants';
import { KEY_ARN } from './location-check';
import { Fields, Problem, checkFields, checkForm } from './problem';
import { RouteEnd } from './route';

/** What is allowed of transfers from URLs, which are started by hand or by an event of one's own. */
export interface HttpsProps {
  /**
   * Where they may be written; ends of routes with the same bucket and a prefix that holds theirs need not be repeated here.
   * @default - only to ends of routes
   */
  readonly destinations?: RouteEnd[];
  /**
   * Hosts, as they stand in URLs, that may be at private addresses. Link-local addresses and those of metadata services are
   * refused even so.
   * @default - none: public addresses only
   */
  readonly privateHosts?: string[];
  /**
   * Hosts that may be read over plain http.
   * @default - none: https only
   */
  readonly httpHosts?: string[];
  /**
   * Names or ARNs of secrets that hold a URL with its query; a * at the end of a name stands for anything.
   * @default - none
   */
  readonly secrets?: string[];
  /**
   * Names of SSM parameters of type SecureString that hold one; a * at the end stands for anything.
   * @default - none
   */
  readonly parameters?: string[];
  /**
   * ARNs of the KMS keys that encrypt these secrets and parameters.
   * @default - none: the services' own keys, which need no grant
   */
  readonly kmsKeyArns?: string[];
}

const FIELDS: Fields<HttpsProps> = {
  destinations: 'objects',
  privateHosts: 'texts',
  httpHosts: 'texts',
  secrets: 'texts',
  parameters: 'texts',
  kmsKeyArns: 'texts',
};
const HOST = /^([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:]+\])$/;
const SECRET = /^(arn:[^:]+:secretsmanager:[^:]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]+\*?|[A-Za-z0-9/_+=.@-]{1,512}\*?)$/;

/** The functions that read a source which may be a URL. */
const READERS: readonly (FunctionName | 'browse')[] = ['head', 'part', 'copy'];

/**
 * Refuses what can not be.
 * @internal
 */
export function checkHttps(props: HttpsProps): void {
  checkFields('https', props, FIELDS);
  for (const [field, form, expected] of [
    ['privateHosts', HOST, 'a host in lower case, without port and path'],
    ['httpHosts', HOST, 'a host in lower case, without port and path'],
    ['secrets', SECRET, 'name or ARN of a secret, with a * at its end or none'],
    ['parameters', /^[A-Za-z0-9_./-]{1,1011}\*?$/, 'name of an SSM parameter, with a * at its end or none'],
    ['kmsKeyArns', KEY_ARN, 'ARN of a KMS key'],
  ] as const) {
    (props[field] ?? []).forEach((found, index) => checkForm(`https.${field}[${index}]`, found, form, expected));
  }
  if (props.kmsKeyArns !== undefined && props.secrets === undefined && props.parameters === undefined) {
    throw new Problem('https.kmsKeyArns', 'secrets or parameters beside it, for keys of those');
  }
}

/**
 * As a function reads it, beside the locations; undefined for one that reads no URL, and where everything is as it is without.
 * @internal
 */
export function httpsJson(
  name: FunctionName | 'browse',
  https: HttpsProps | undefined,
): Record<string, unknown> | undefined {
  const { privateHosts: private_hosts, httpHosts: http_hosts } = https ?? {};
  const says = (private_hosts ?? http_hosts) !== undefined;
  return READERS.includes(name) && says ? { private_hosts, http_hosts } : undefined;
}

/**
 * Lets a function that reads URLs read their queries.
 * @internal
 */
export function grantQueries(role: iam.Role, name: FunctionName, https: HttpsProps | undefined): void {
  if (https === undefined || !READERS.includes(name)) {
    return;
  }
  const stack = Stack.of(role);
  const arn = (service: string, resource: string, resourceName: string, arnFormat: ArnFormat): string =>
    stack.formatArn({ service, resource, resourceName, arnFormat });
  const secrets = (https.secrets ?? []).map((secret) => {
    const whole = secret.startsWith('arn:') || Token.isUnresolved(secret);
    const named = whole ? secret : arn('secretsmanager', 'secret', secret, ArnFormat.COLON_RESOURCE_NAME);
    // Secrets Manager ends an ARN by a hyphen and six characters of its own.
    return /(\*|-[A-Za-z0-9]{6})$/.test(named) && (whole || named.endsWith('*')) ? named : `${named}-??????`;
  });
  const parameters = (https.parameters ?? []).map((parameter) =>
    arn('ssm', 'parameter', parameter.replace(/^\//, ''), ArnFormat.SLASH_RESOURCE_NAME),
  );
  allow(role, 'secretsmanager:GetSecretValue', secrets);
  allow(role, 'ssm:GetParameter', parameters);
  const keepers = [...(secrets.length > 0 ? ['secretsmanager'] : []), ...(parameters.length > 0 ? ['ssm'] : [])].map(
    (service) => `${service}.${stack.region}.${stack.urlSuffix}`,
  );
  allow(role, 'kms:Decrypt', https.kmsKeyArns ?? [], { StringEquals: { 'kms:ViaService': keepers } });
  for (const resource of [...secrets, ...parameters].filter((one) => /[*?]$/.test(one))) {
    acknowledgeResource(role, resource, 'URLs with their queries, each kept under a name of its own.');
  }
}

function allow(role: iam.Role, action: string, resources: string[], conditions?: Record<string, unknown>): void {
  if (resources.length > 0) {
    role.addToPolicy(new iam.PolicyStatement({ actions: [action], resources, conditions }));
  }
}
