//! The line itself, in the embedded metric format of CloudWatch.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};
use transload_wire::ErrorName;

use super::{Facts, Measure};

/// Where the metrics belong.
const NAMESPACE: &str = "transload";

/// Whose metrics are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Metrics {
    machine: String,
    function: String,
}

impl Metrics {
    /// If `TRANSLOAD_METRICS` is 1: of the machine that `TRANSLOAD_MACHINE` names.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        variable("TRANSLOAD_METRICS").filter(|text| text == "1")?;
        let named = |name: &str| variable(name).filter(|text| !text.is_empty());
        Some(Self {
            machine: named("TRANSLOAD_MACHINE").unwrap_or_else(|| "unnamed".to_owned()),
            function: named("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default(),
        })
    }

    /// One line with its end.
    pub(super) fn line(
        &self,
        facts: &Facts,
        measures: &[Measure],
        error: Option<ErrorName>,
        now: SystemTime,
    ) -> String {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let dimensions: &[&[&str]] =
            if facts.route.is_some() { &[&["Machine"], &["Machine", "Route"]] } else { &[&["Machine"]] };
        let metrics = measures.iter().map(|m| Metric { name: m.name(), unit: m.unit() }).collect();
        let line = Line {
            aws: Aws {
                timestamp: u64::try_from(since.as_millis()).unwrap_or_default(),
                directives: [Directive { namespace: NAMESPACE, dimensions, metrics }],
            },
            machine: &self.machine,
            route: facts.route.as_ref().map(|route| route.as_str()),
            function: &self.function,
            error: error.map(ErrorName::as_str),
            values: measures,
        };
        // Texts and numbers only: writing them can not fail.
        serde_json::to_string(&line).map(|text| text + "\n").unwrap_or_default()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Line<'a> {
    #[serde(rename = "_aws")]
    aws: Aws<'a>,
    machine: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    function: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(flatten, serialize_with = "values")]
    values: &'a [Measure],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Aws<'a> {
    timestamp: u64,
    #[serde(rename = "CloudWatchMetrics")]
    directives: [Directive<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'a str,
    dimensions: &'a [&'a [&'a str]],
    metrics: Vec<Metric>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: &'static str,
    unit: &'static str,
}

/// A number, whole where it is one.
#[derive(Serialize)]
#[serde(untagged)]
enum Value {
    Whole(u64),
    Part(f64),
}

fn values<S: Serializer>(measures: &&[Measure], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(measures.iter().map(|measure| (measure.name(), value(*measure))))
}

fn value(measure: Measure) -> Value {
    match measure {
        Measure::BytesRead(n)
        | Measure::BytesWritten(n)
        | Measure::BytesCompleted(n)
        | Measure::Objects(n)
        | Measure::Parts(n)
        | Measure::Retries(n)
        | Measure::Failures(n) => Value::Whole(n),
        Measure::LagSeconds(n) => Value::Part(n),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use transload_wire::ErrorName;

    use super::{Facts, Measure, Metrics};

    fn metrics(set: &[(&str, &str)]) -> Option<Metrics> {
        Metrics::of(|name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    }

    const SET: [(&str, &str); 3] =
        [("TRANSLOAD_METRICS", "1"), ("TRANSLOAD_MACHINE", "object"), ("AWS_LAMBDA_FUNCTION_NAME", "part")];

    #[test]
    fn the_line_is_one_of_the_embedded_metric_format() {
        let facts = Facts { route: Some("photos".parse().unwrap()), ..Facts::default() };
        let measures = [Measure::BytesRead(5), Measure::LagSeconds(1.5), Measure::Failures(0)];
        let now = UNIX_EPOCH + Duration::from_millis(1_767_225_600_123);
        let line = metrics(&SET).unwrap().line(&facts, &measures, None, now);
        let expected = concat!(
            r#"{"_aws":{"Timestamp":1767225600123,"CloudWatchMetrics":[{"Namespace":"transload","#,
            r#""Dimensions":[["Machine"],["Machine","Route"]],"Metrics":[{"Name":"BytesRead","Unit":"Bytes"},"#,
            r#"{"Name":"LagSeconds","Unit":"Seconds"},{"Name":"Failures","Unit":"Count"}]}]},"#,
            r#""Machine":"object","Route":"photos","Function":"part","BytesRead":5,"LagSeconds":1.5,"Failures":0}"#,
            "\n"
        );
        assert_eq!(line, expected);
    }

    #[test]
    fn a_failure_has_its_name_as_property_and_no_route_is_no_dimension() {
        let failed = Some(ErrorName::SourceChanged);
        let line =
            metrics(&SET).unwrap().line(&Facts::default(), &[Measure::Failures(1)], failed, UNIX_EPOCH);
        let expected = concat!(
            r#"{"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"transload","Dimensions":[["Machine"]],"#,
            r#""Metrics":[{"Name":"Failures","Unit":"Count"}]}]},"#,
            r#""Machine":"object","Function":"part","Error":"SourceChanged","Failures":1}"#,
            "\n"
        );
        assert_eq!(line, expected);
    }

    #[test]
    fn nothing_is_told_unless_asked_for() {
        assert_eq!(metrics(&[]), None);
        assert_eq!(metrics(&[("TRANSLOAD_METRICS", "0"), ("TRANSLOAD_MACHINE", "object")]), None);
        assert_eq!(metrics(&[("TRANSLOAD_METRICS", "1")]).unwrap().machine, "unnamed");
    }
}
