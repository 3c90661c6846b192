// The metrics that alarms and dashboard read: the services' own, and those that the functions write into their logs.
import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';

/** Namespace of the functions' metrics (embedded metric format). */
export const NAMESPACE = 'transload';

const PERIOD = Duration.minutes(5);

/** A metric of a service, over five minutes. */
export function service(
  namespace: string,
  metricName: string,
  dimensionsMap: { [name: string]: string },
  statistic = 'Sum',
): cloudwatch.Metric {
  return new cloudwatch.Metric({ namespace: `AWS/${namespace}`, metricName, dimensionsMap, statistic, period: PERIOD });
}

/** A metric of the functions: of a machine, or of one of its routes. */
export function own(metricName: string, machine: string, route?: string, statistic = 'Sum'): cloudwatch.Metric {
  const dimensionsMap: { [name: string]: string } =
    route === undefined ? { Machine: machine } : { Machine: machine, Route: route };
  return new cloudwatch.Metric({
    namespace: NAMESPACE,
    metricName,
    dimensionsMap,
    statistic,
    period: PERIOD,
    label: route ?? metricName,
  });
}

/** Open map runs of the whole account in this Region: the metric has no dimension. */
export function openMapRuns(): cloudwatch.Metric {
  return service('States', 'ApproximateOpenMapRunCount', {}, 'Maximum');
}
