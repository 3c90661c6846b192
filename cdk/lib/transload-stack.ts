// A stack with nothing but transload, and the outputs that the command line finds it by.
import { CfnOutput, Stack, StackProps } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { Transload, TransloadProps } from './transload';

/** Properties of the stack. */
export interface TransloadStackProps extends StackProps {
  /** What is deployed. */
  readonly transload: TransloadProps;
}

/** transload as a stack. */
export class TransloadStack extends Stack {
  /** What is deployed. */
  public readonly transload: Transload;

  constructor(scope: Construct, id: string, props: TransloadStackProps) {
    super(scope, id, props);
    this.transload = new Transload(this, 'Transload', props.transload);
    const { stateMachine, bucketMachine, janitor, results, locations, observability } = this.transload;
    this.output('ObjectMachineArn', stateMachine.stateMachineArn, 'The machine that moves one object');
    this.output(
      'BucketMachineArn',
      bucketMachine.stateMachineArn,
      'The machine that makes one tree of keys like another',
    );
    this.outputArchives();
    this.output(
      'JanitorMachineArn',
      janitor.stateMachine.stateMachineArn,
      'The machine that cleans up after stopped transfers',
    );
    this.output('ResultsBucket', results.bucket.bucketName, 'Results of maps, lists of work and reports');
    this.output('AlarmTopicArn', observability.topic.topicArn, 'Where alarms are sent');
    this.output('DashboardName', observability.dashboard.dashboardName, 'How transfers are doing');
    this.output(
      'Locations',
      locations.map((location) => location.locationName).join(','),
      'Names that transfers may use',
    );
    this.outputQueues();
    if (this.transload.browse !== undefined) {
      this.output('BrowseUrl', this.transload.browse.url, 'The page and its API, for callers that are known');
    }
  }

  private outputArchives(): void {
    const { packMachine, unpackMachine } = this.transload;
    if (packMachine !== undefined && unpackMachine !== undefined) {
      this.output('PackMachineArn', packMachine.stateMachineArn, 'The machine that packs trees');
      this.output('UnpackMachineArn', unpackMachine.stateMachineArn, 'The machine that unpacks archives');
    }
  }

  /** By these the notifications of buckets are set up. */
  private outputQueues(): void {
    const queues = this.transload.routes.flatMap(({ routeName, notifications }) =>
      notifications === undefined ? [] : [`${routeName}=${notifications.queue.queueArn}`],
    );
    if (queues.length > 0) {
      this.output('NotificationQueues', queues.join(','), 'Queues that notifications of S3 are sent to, by route');
    }
  }

  private output(name: string, value: string, description: string): void {
    new CfnOutput(this, name, { value, description });
  }
}
