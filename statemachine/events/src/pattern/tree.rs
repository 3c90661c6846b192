//! A parsed pattern: which fields there are and what their values have to be.
use super::matcher::Matcher;
use serde_json::Value;

/// Conditions on one object of the event. All of them have to hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    /// On values: one of these.
    values: Vec<(String, Vec<Matcher>)>,
    /// On the fields of fields.
    inside: Vec<(String, Node)>,
    /// Of each group one has to hold: `$or`.
    alternatives: Vec<Vec<Node>>,
}

impl Node {
    /// Adds a condition on a value. A second one on the same value replaces the first, as a key given twice does.
    pub(super) fn add_values(&mut self, steps: &[&str], matchers: Vec<Matcher>) {
        match steps {
            [] => {}
            [name] => {
                self.values.retain(|(old, _)| old != name);
                self.values.push(((*name).to_owned(), matchers));
            }
            [first, rest @ ..] => self.field(first).add_values(rest, matchers),
        }
    }

    /// Adds conditions on the fields of a field.
    pub(super) fn add_inside(&mut self, steps: &[&str], node: Self) {
        match steps {
            [] => self.merge(node),
            [first, rest @ ..] => self.field(first).add_inside(rest, node),
        }
    }

    /// Adds a group of which one has to hold.
    pub(super) fn add_alternatives(&mut self, group: Vec<Self>) {
        self.alternatives.push(group);
    }

    fn merge(&mut self, other: Self) {
        for (name, matchers) in other.values {
            self.add_values(&[&name], matchers);
        }
        for (name, node) in other.inside {
            self.field(&name).merge(node);
        }
        self.alternatives.extend(other.alternatives);
    }

    fn field(&mut self, name: &str) -> &mut Self {
        let at = self.inside.iter().position(|(found, _)| found == name).unwrap_or_else(|| {
            self.inside.push((name.to_owned(), Self::default()));
            self.inside.len() - 1
        });
        &mut self.inside[at].1
    }

    /// Whether the conditions hold for what is at `path`. In an array one element has to satisfy all of them.
    pub(super) fn matches<'a>(
        &'a self,
        found: Option<&Value>,
        event: &Value,
        path: &mut Vec<&'a str>,
    ) -> bool {
        match found {
            Some(Value::Array(items)) if items.iter().any(is_container) => {
                let mut containers = items.iter().filter(|item| is_container(item));
                containers.any(|item| self.matches(Some(item), event, path))
            }
            Some(Value::Object(map)) => self.holds(&|name| map.get(name), event, path),
            _ => self.holds(&|_| None, event, path),
        }
    }

    fn holds<'a, 'v>(
        &'a self,
        get: &dyn Fn(&str) -> Option<&'v Value>,
        event: &Value,
        path: &mut Vec<&'a str>,
    ) -> bool {
        let values = self.values.iter().all(|(name, matchers)| {
            path.push(name);
            let holds = one_of(matchers, get(name), event, path);
            path.pop();
            holds
        });
        let inside = values
            && self.inside.iter().all(|(name, node)| {
                path.push(name);
                let holds = node.matches(get(name), event, path);
                path.pop();
                holds
            });
        inside && self.alternatives.iter().all(|group| group.iter().any(|node| node.holds(get, event, path)))
    }
}

fn is_container(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

fn one_of(matchers: &[Matcher], found: Option<&Value>, event: &Value, path: &[&str]) -> bool {
    let mut leaves = Vec::new();
    found.into_iter().for_each(|value| collect(value, &mut leaves));
    matchers.iter().any(|matcher| match matcher {
        // Of the whole event, not of one element of an array in it.
        Matcher::Absent => !is_there(event, path),
        matcher => leaves.iter().any(|leaf| matcher.matches(leaf)),
    })
}

/// The values of a field: what is in arrays counts as the field's own, what is in objects does not.
fn collect<'v>(value: &'v Value, leaves: &mut Vec<&'v Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, leaves)),
        Value::Object(_) => {}
        leaf => leaves.push(leaf),
    }
}

/// Whether there is a value at a path anywhere in the event.
fn is_there(value: &Value, path: &[&str]) -> bool {
    match (value, path) {
        (Value::Array(items), _) => items.iter().any(|item| is_there(item, path)),
        (Value::Object(map), [first, rest @ ..]) => {
            map.get(*first).is_some_and(|inner| is_there(inner, rest))
        }
        (Value::Object(_), []) => false,
        (_, rest) => rest.is_empty(),
    }
}
