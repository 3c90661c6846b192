//! What each state's input and output tell.

use std::time::SystemTime;

use transload_wire::{
    AbortInput, AbortOutput, CompleteInput, CompleteOutput, CopyInput, HeadInput, HeadOutput, InitInput,
    InitOutput, PartInput, PartOutput, Pinned, RemoveInput, RemoveOutput, RouteName, ThawInput, ThawOutput,
};

use super::Measure as M;
use super::{Facts, Input, Measure, Output, time};

fn facts(route: Option<&RouteName>, source: Option<&Pinned>, again: bool) -> Facts {
    Facts { route: route.cloned(), changed: source.map(|source| source.last_modified.clone()), again }
}

impl Input for HeadInput {
    fn facts(&self) -> Facts {
        facts(self.request.route.as_ref(), None, false)
    }
}

impl Input for InitInput {
    fn facts(&self) -> Facts {
        facts(self.route.as_ref(), Some(&self.source), false)
    }
}

impl Input for PartInput {
    fn facts(&self) -> Facts {
        facts(self.route.as_ref(), Some(&self.source), self.retry_count > 0)
    }
}

impl Input for CompleteInput {
    fn facts(&self) -> Facts {
        facts(self.route.as_ref(), Some(&self.source), false)
    }
}

impl Input for CopyInput {
    fn facts(&self) -> Facts {
        facts(self.route.as_ref(), Some(&self.source), false)
    }
}

impl Input for AbortInput {
    fn facts(&self) -> Facts {
        facts(self.route.as_ref(), None, false)
    }
}

impl Input for RemoveInput {
    fn facts(&self) -> Facts {
        facts(self.route.as_ref(), None, false)
    }
}

impl Input for ThawInput {
    fn facts(&self) -> Facts {
        facts(self.route.as_ref(), Some(&self.source), false)
    }
}

impl Output for RemoveOutput {}
impl Output for ThawOutput {}
impl Output for HeadOutput {}
impl Output for InitOutput {}
impl Output for AbortOutput {}

impl Output for PartOutput {
    /// Parts that an earlier try left were not sent by this one.
    fn measures(&self, facts: &Facts, _now: SystemTime) -> Vec<Measure> {
        let sent = || self.parts.iter().filter(|part| part.attempts > 0);
        let bytes = sent().map(|part| part.size).sum();
        // A GET is made for each PUT, and one more each time that it breaks.
        let repeated = |part: &transload_wire::PartRecord| u64::from(part.attempts.max(part.reads)) - 1;
        let retries = sent().map(repeated).sum::<u64>() + u64::from(facts.again);
        vec![
            M::BytesRead(bytes),
            M::BytesWritten(bytes),
            M::Parts(sent().count() as u64),
            M::Retries(retries),
        ]
    }
}

impl Output for CompleteOutput {
    /// Copy counts no parts: what it completed, it moved too.
    fn measures(&self, facts: &Facts, now: SystemTime) -> Vec<Measure> {
        let mut measures = Vec::new();
        if self.parts == 0 {
            let puts = self.requests.get("PutObject").copied().unwrap_or(0);
            let moved = if puts > 0 { self.size } else { 0 };
            measures.extend([
                M::BytesRead(moved),
                M::BytesWritten(moved),
                M::Retries(puts.saturating_sub(1)),
            ]);
        }
        measures.extend([M::BytesCompleted(self.size), M::Objects(1)]);
        // A source whose clock is ahead of ours has no lag.
        let changed = facts.changed.as_deref().and_then(time::parse);
        measures.extend(
            changed.map(|changed| {
                M::LagSeconds(now.duration_since(changed).map_or(0.0, |lag| lag.as_secs_f64()))
            }),
        );
        measures
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use transload_wire::{CompleteOutput, PartOutput, parse};

    use super::{Facts, Input, Measure as M, Output};

    /// Ninety seconds after the first of 2026.
    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_767_225_690)
    }

    fn changed(text: &str) -> Facts {
        Facts { changed: Some(text.to_owned()), ..Facts::default() }
    }

    #[test]
    fn parts_that_were_there_already_are_not_counted() {
        let part = |number: u32, size: u64, attempts: u32, reads: u32| {
            format!(
                r#"{{"partNumber": {number}, "size": {size}, "etag": "e", "attempts": {attempts},
                     "reads": {reads}, "durationMs": 1}}"#
            )
        };
        let parts = [part(1, 10, 1, 1), part(2, 20, 3, 3), part(3, 30, 1, 2), part(4, 40, 0, 0)].join(",");
        let output: PartOutput =
            parse(format!(r#"{{"parts": [{parts}], "requests": {{}}}}"#).as_bytes()).unwrap();
        let facts = Facts { again: true, ..Facts::default() };
        let expected = [M::BytesRead(60), M::BytesWritten(60), M::Parts(3), M::Retries(4)];
        assert_eq!(output.measures(&facts, now()), expected);
    }

    fn completed(parts: u32, requests: &str) -> CompleteOutput {
        let json = format!(
            r#"{{"etag": "e", "size": 7, "parts": {parts}, "proof": "sourceChecksum", "requests": {requests}}}"#
        );
        parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn an_object_in_parts_counts_once_with_its_lag() {
        let measures = completed(3, "{}").measures(&changed("2026-01-01T00:00:00Z"), now());
        assert_eq!(measures, [M::BytesCompleted(7), M::Objects(1), M::LagSeconds(90.0)]);
        let measures = completed(3, "{}").measures(&changed("2026-01-01T01:00:00Z"), now());
        assert_eq!(measures.last(), Some(&M::LagSeconds(0.0)));
        assert_eq!(completed(3, "{}").measures(&changed("yesterday"), now()).len(), 2);
    }

    #[test]
    fn an_object_sent_whole_counts_its_bytes_and_its_repeated_puts() {
        let measures = completed(0, r#"{"PutObject": 3}"#).measures(&Facts::default(), now());
        let moved = [M::BytesRead(7), M::BytesWritten(7), M::Retries(2), M::BytesCompleted(7), M::Objects(1)];
        assert_eq!(measures, moved);
    }

    #[test]
    fn an_input_tells_its_route() {
        let json = r#"{"request": {"route": "photos-2026",
            "source": {"location": "a", "bucket": "abc", "key": "k"},
            "destination": {"location": "b", "bucket": "abc", "key": "k"}},
            "execution": {"id": "x", "startTime": "y"}}"#;
        let input: transload_wire::HeadInput = parse(json.as_bytes()).unwrap();
        assert_eq!(input.facts().route.unwrap().as_str(), "photos-2026");
        let refused =
            parse::<transload_wire::HeadInput>(json.replace("s-2026", " 2026").as_bytes()).unwrap_err();
        assert!(refused.message.starts_with("request.route: expected a route's name"), "{refused}");
    }
}
