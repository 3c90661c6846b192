// Classic notifications of S3 for one route: a queue that the bucket writes to, a pipe that hands batches of its messages to a
// machine, and the machine that starts a transfer for each record. No function in between: starting an execution is all there
// is to do.
import { ArnFormat, CfnResource, Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as pipes from 'aws-cdk-lib/aws-pipes';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { DeadLetters } from './dead-letters';
import { serviceOfAccount } from './principal';
import { RetentionProps } from './retention';
import { StateMachine } from './state-machine';
import { Transfer } from './transfer';

/** Properties of the notifications of a route. */
export interface NotificationsProps extends RetentionProps {
  /** File of the definition. */
  readonly definitionFile: string;
  /** Name of the machine that reads them. */
  readonly machineName: string;
  /** What the route transfers. */
  readonly transfer: Transfer;
  /** The machine that each record starts. */
  readonly starts: StateMachine;
}

/**
 * Messages that the machine is given at a time. A record has a key of up to 1,024 bytes, encoded three times as many and quoted
 * twice: ten messages stay far below the 256 KiB of an input.
 */
const BATCH = 10;
/** A pipe that can not start the machine lets its messages come again after this time... */
const HIDDEN = Duration.minutes(2);
/** ...and after so many times, more than three hours, they are among the dead letters. */
const RECEIPTS = 100;

/** A queue of notifications, and what reads it. */
export class Notifications extends Construct {
  /** The queue that the bucket's notification names. */
  public readonly queue: sqs.Queue;
  /** Messages that could not start the machine. */
  public readonly deadLetters: sqs.Queue;
  /** The machine that reads them. */
  public readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, props: NotificationsProps) {
    super(scope, id);
    this.deadLetters = new DeadLetters(this, 'DeadLetters').queue;
    this.queue = this.makeQueue(props.transfer);
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      definitionFile: props.definitionFile,
      machineName: props.machineName,
      functions: {},
      starts: props.starts,
      values: valuesOf(props.transfer),
      logRetentionDays: props.logRetentionDays,
      retain: props.retain,
    });
    this.makePipe(props.transfer.name);
  }

  /** Only S3 writes to it, only for this bucket, and only if the bucket is its owner's: names of buckets are given again. */
  private makeQueue({ source }: Transfer): sqs.Queue {
    const queue = new sqs.Queue(this, 'Queue', {
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      visibilityTimeout: HIDDEN,
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: RECEIPTS },
    });
    const bucket = Stack.of(this).formatArn({
      service: 's3',
      region: '',
      account: '',
      resource: source.bucket.name,
      arnFormat: ArnFormat.NO_RESOURCE_NAME,
    });
    queue.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [new iam.ServicePrincipal('s3.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [queue.queueArn],
        conditions: {
          ArnEquals: { 'aws:SourceArn': bucket },
          StringEquals: { 'aws:SourceAccount': source.location._owner },
        },
      }),
    );
    return queue;
  }

  /** A batch is handed over as it comes, a list of messages with their bodies as text: that is what the definition reads. */
  private makePipe(route: string): void {
    const description = `Notifications of route ${route}`;
    const role = new iam.Role(this, 'Role', {
      assumedBy: serviceOfAccount(this, 'pipes.amazonaws.com'),
      description,
    });
    const allow = (actions: string[], resource: string): void => {
      role.addToPolicy(new iam.PolicyStatement({ actions, resources: [resource] }));
    };
    allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], this.queue.queueArn);
    allow(['states:StartExecution'], this.stateMachine.stateMachineArn);
    const pipe = new pipes.CfnPipe(this, 'Pipe', {
      description,
      roleArn: role.roleArn,
      source: this.queue.queueArn,
      sourceParameters: { sqsQueueParameters: { batchSize: BATCH } },
      target: this.stateMachine.stateMachineArn,
      targetParameters: { stepFunctionStateMachineParameters: { invocationType: 'FIRE_AND_FORGET' } },
    });
    // A pipe tries its rights when it is made.
    pipe.addDependency(role.node.findChild('DefaultPolicy').node.defaultChild as CfnResource);
  }
}

/** What stands in the definition in the places of its own names. */
function valuesOf({ name, source, destination, options }: Transfer): { [placeholder: string]: string } {
  return {
    SourceLocation: source.location.locationName,
    SourceBucket: source.bucket.name,
    SourcePrefix: source.prefix ?? '',
    DestinationLocation: destination.location.locationName,
    DestinationBucket: destination.bucket.name,
    Options: Buffer.from(JSON.stringify(options ?? {})).toString('base64'),
    RouteName: name,
  };
}
