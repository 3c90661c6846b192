//! The list of known differences (`tests/recordings/differences.txt`): what is not as recorded, and why.
use serde_json::Value;

const LIST: &str = include_str!("../recordings/differences.txt");

/// How a case that is listed counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    /// The recording is not the service's: the case is left out.
    Out,
    /// We differ: the case has failed.
    Differs,
}

/// The list: how, an id or the beginning of ids before a `*`, and the reason.
pub(crate) struct Differences(Vec<(Listed, &'static str, &'static str)>);

impl Differences {
    /// The list of the repository.
    pub(crate) fn listed() -> Self {
        Self::read(LIST)
    }

    fn read(text: &'static str) -> Self {
        let lines = text.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#'));
        Self(lines.map(|line| entry(line).expect(line)).collect())
    }

    /// How a case is listed, if it is.
    pub(crate) fn of(&self, id: &str) -> Option<Listed> {
        self.0.iter().find(|(_, pattern, _)| fits(pattern, id)).map(|(listed, ..)| *listed)
    }

    /// What is wrong with the list itself: an entry for no case, or without a reason.
    pub(crate) fn wrong(&self, cases: &[Value]) -> Vec<String> {
        let known =
            |pattern: &str| cases.iter().any(|c| c["id"].as_str().is_some_and(|id| fits(pattern, id)));
        let wrong = self.0.iter().filter(|(_, pattern, reason)| !known(pattern) || reason.is_empty());
        wrong.map(|(_, pattern, _)| format!("{pattern} is listed, for no case or no reason")).collect()
    }
}

fn entry(line: &'static str) -> Option<(Listed, &'static str, &'static str)> {
    let mut parts = line.splitn(3, '|').map(str::trim);
    let listed = match parts.next()? {
        "out" => Listed::Out,
        "differs" => Listed::Differs,
        _ => return None,
    };
    Some((listed, parts.next()?, parts.next()?))
}

fn fits(pattern: &str, id: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == id, |beginning| id.starts_with(beginning))
}

#[test]
fn a_list_has_ids_and_beginnings_of_ids() {
    let list = Differences::read("# why\n\nout | a.b--* | theirs\ndiffers | c | ours\n");
    assert_eq!(list.of("a.b--1"), Some(Listed::Out));
    assert_eq!(list.of("a.b"), None);
    assert_eq!(list.of("c"), Some(Listed::Differs));
    assert_eq!(list.of("cc"), None);
    let cases = [serde_json::json!({"id": "c"})];
    assert_eq!(list.wrong(&cases), ["a.b--* is listed, for no case or no reason"]);
}
