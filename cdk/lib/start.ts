// Events and times that start a machine: a rule, the right to start this machine and no other, and a queue for what could not be
// delivered.
import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { DeadLetters } from './dead-letters';
import { serviceOfAccount } from './principal';
import { StateMachine } from './state-machine';

/** What starts which machine. */
export interface Start {
  readonly description: string;
  /** Events that do. */
  readonly pattern?: events.EventPattern;
  /** Times that do: an expression of EventBridge. */
  readonly schedule?: string;
  readonly machine: StateMachine;
  /** Without it: the event as it comes. */
  readonly input?: events.RuleTargetInput;
  /** Without them: as often and as long as EventBridge does at most. */
  readonly retryAttempts?: number;
  readonly maxEventAgeHours?: number;
}

/** The rule, and where its dead letters are. */
export interface Started {
  readonly rule: events.Rule;
  readonly deadLetters: sqs.Queue;
}

/** Makes the rule in this scope. */
export function startBy(scope: Construct, start: Start): Started {
  const deadLetters = new DeadLetters(scope, 'DeadLetters').queue;
  const { description, pattern: eventPattern } = start;
  const schedule = start.schedule === undefined ? undefined : events.Schedule.expression(start.schedule);
  const targets = [{ bind: () => targetOf(start, mayStart(start), deadLetters) }];
  const rule = new events.Rule(scope, 'Rule', { description, eventPattern, schedule, targets });
  DeadLetters.allow(deadLetters, rule);
  return { rule, deadLetters };
}

/** One role for all that starts a machine: they may do the same, and a stack holds 500 resources. */
function mayStart({ machine }: Start): iam.Role {
  const made = machine.node.tryFindChild('Start');
  if (made instanceof iam.Role) {
    return made;
  }
  const role = new iam.Role(machine, 'Start', {
    assumedBy: serviceOfAccount(machine, 'events.amazonaws.com'),
    description: 'Lets events and schedules start this machine',
  });
  role.addToPolicy(
    new iam.PolicyStatement({ actions: ['states:StartExecution'], resources: [machine.stateMachineArn] }),
  );
  return role;
}

function targetOf(start: Start, role: iam.Role, deadLetters: sqs.Queue): events.RuleTargetConfig {
  return {
    arn: start.machine.stateMachineArn,
    role,
    input: start.input,
    deadLetterConfig: { arn: deadLetters.queueArn },
    retryPolicy: {
      maximumRetryAttempts: start.retryAttempts ?? 185,
      maximumEventAgeInSeconds: Duration.hours(start.maxEventAgeHours ?? 24).toSeconds(),
    },
  };
}
