//! The paths of `InputPath` and `InputPathsMap`: `$.detail.items[0].name`, with `*` for all.
use serde_json::Value;

/// A path into an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Index(usize),
    All,
}

impl Path {
    /// Reads a path. None: it is not one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix('$')?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, behind) = step(rest)?;
            steps.push(step);
            rest = behind;
        }
        Some(Self(steps))
    }

    /// What is there. Where the path says `*` it is an array of everything there.
    pub(crate) fn find(&self, event: &Value) -> Option<Value> {
        let mut found = vec![event];
        for step in &self.0 {
            found = found.into_iter().flat_map(|value| step.follow(value)).collect();
        }
        match self.0.contains(&Step::All) {
            true => Some(found.into_iter().cloned().collect()),
            false => found.first().map(|value| (*value).clone()),
        }
    }
}

/// Dashes, underscores, letters, digits and slashes make names (input transformation).
fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '/')
}

fn step(text: &str) -> Option<(Step, &str)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (index, behind) = rest.split_once(']')?;
        let step = if index == "*" { Step::All } else { Step::Index(index.parse().ok()?) };
        return Some((step, behind));
    }
    let rest = text.strip_prefix('.')?;
    if let Some(behind) = rest.strip_prefix('*') {
        return Some((Step::All, behind));
    }
    let end = rest.find(|character| !is_name(character)).unwrap_or(rest.len());
    (end > 0).then(|| (Step::Member(rest[..end].to_owned()), &rest[end..]))
}

impl Step {
    fn follow<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        match (self, value) {
            (Self::Member(name), Value::Object(map)) => map.get(name).into_iter().collect(),
            (Self::Index(index), Value::Array(items)) => items.get(*index).into_iter().collect(),
            (Self::All, Value::Array(items)) => items.iter().collect(),
            (Self::All, Value::Object(map)) => map.values().collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Path;
    use serde_json::json;

    #[test]
    fn paths_lead_to_values() {
        let event = json!({"detail-type": "t", "detail": {"list": [{"n": 1}, {"n": 2}]}});
        let at = |path: &str| Path::parse(path).unwrap().find(&event);
        assert_eq!(at("$"), Some(event.clone()));
        assert_eq!(at("$.detail-type"), Some(json!("t")));
        assert_eq!(at("$.detail.list[1].n"), Some(json!(2)));
        assert_eq!(at("$.detail.list[*].n"), Some(json!([1, 2])));
        assert_eq!(at("$.detail.none"), None);
    }

    #[test]
    fn other_notations_are_refused() {
        for wrong in ["", "detail", "$detail", "$.", "$..a", "$['a']", "$.a[", "$.a[-1]", "$.a b"] {
            assert_eq!(Path::parse(wrong), None, "{wrong}");
        }
    }
}
