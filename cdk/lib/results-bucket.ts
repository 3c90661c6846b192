// The bucket of the workflow's own: Distributed Maps write the results of their children there and read lists of work from it,
// and reports stand in it. Step Functions wants it in the machine's own account and Region.
import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge';
import { checkRange } from './problem';
import { removalPolicy } from './retention';

/** Below this prefix the machine of transfers writes the results of its maps. */
export const RESULTS_PREFIX = 'object/';

/** Below this prefix stand the lists, results and reports of runs over many objects. */
export const WORK_PREFIX = 'sync/';

/** Below these prefixes stand frozen plans and manifests, as people hand them in. */
export const HANDED_PREFIXES = ['plans/', 'manifests/'] as const;

/** Properties of the results bucket. */
export interface ResultsBucketProps {
  /**
   * Days that results, lists and reports are kept.
   * @default 30
   */
  readonly resultsRetentionDays?: number;
  /**
   * Whether the bucket outlives the stack. With false it is deleted with the stack, which fails as long as it holds results.
   * @default true
   */
  readonly retain?: boolean;
}

/** A private bucket for results, lists and reports. */
export class ResultsBucket extends Construct {
  /** The bucket. */
  public readonly bucket: s3.Bucket;

  constructor(scope: Construct, id: string, props: ResultsBucketProps) {
    super(scope, id);
    checkRange('resultsRetentionDays', props.resultsRetentionDays, 1, 3_650);
    this.bucket = new s3.Bucket(this, 'Bucket', {
      encryption: s3.BucketEncryption.S3_MANAGED,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      lifecycleRules: [
        {
          id: 'Expire',
          expiration: Duration.days(props.resultsRetentionDays ?? 30),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
      removalPolicy: removalPolicy(props),
    });
    acknowledge(
      this.bucket,
      'S1',
      'Holds records of transfers, no content of objects, for some weeks; only roles of this stack write it. ' +
        'Who reads it is in the data events of CloudTrail where an account wants to know.',
    );
  }

  /** ARN of the objects below a prefix. */
  public objectsArn(prefix: string): string {
    return Stack.of(this).formatArn({
      service: 's3',
      region: '',
      account: '',
      resource: this.bucket.bucketName,
      resourceName: `${prefix}*`,
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
  }
}
