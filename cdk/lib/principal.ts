// A service of AWS that acts for this account only: without the condition it could be sent here by another account.
import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

/** A service, on behalf of the stack's own account. */
export function serviceOfAccount(scope: Construct, service: string): iam.IPrincipal {
  return new iam.ServicePrincipal(service, {
    conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
  });
}
