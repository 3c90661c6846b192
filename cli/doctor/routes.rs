//! Routes against each other: what would be copied twice, overwritten, or for ever. Pure.

use super::finding::Finding;
use super::setup::Route;

/// What is found of each pair of routes, and of circles.
pub(crate) fn judge(routes: &[Route]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = (0..routes.len())
        .flat_map(|first| (first + 1..routes.len()).map(move |second| (first, second)))
        .filter_map(|(first, second)| pair(&routes[first], &routes[second]))
        .collect();
    findings.extend(circle(routes));
    if findings.is_empty() && routes.len() > 1 {
        findings.push(Finding::ok("routes", "overlap", format!("none among {}", routes.len())));
    }
    findings
}

fn begins(one: &str, other: &str) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn pair(one: &Route, other: &Route) -> Option<Finding> {
    let subject = format!("{}, {}", one.name, other.name);
    let (here, there) = (&one.destination, &other.destination);
    let one_place = here.location == there.location && here.bucket == there.bucket;
    let narrower = longer(&one.source.prefix, &other.source.prefix);
    let from_one = one.source.bucket == other.source.bucket
        && one.source.location == other.source.location
        && begins(&one.source.prefix, &other.source.prefix)
        && !ignores(one, narrower)
        && !ignores(other, narrower);
    if from_one && one.events && other.events && one_place {
        let found = format!("both copy {}/{narrower}* to {}", one.source.bucket, here.bucket);
        return Some(Finding::wrong(&subject, "overlap", found).expected("one route for an object").advice(
            "write prefixes of which none begins another, or let one route ignore what the other copies",
        ));
    }
    if from_one && one.events && other.events && one.source.prefix != other.source.prefix {
        let found =
            format!("{}/{narrower}* starts both, to {} and {}", one.source.bucket, here.bucket, there.bucket);
        return Some(Finding::warning(&subject, "overlap", found).advice(
            "if only one of them is meant, let the other ignore these keys or write a finer prefix",
        ));
    }
    let same_source =
        one.source.bucket == other.source.bucket && one.source.location == other.source.location;
    if one_place && !same_source && begins(&here.prefix, &there.prefix) {
        let shared = longer(&here.prefix, &there.prefix);
        let found = format!("both write {}/{shared}*", here.bucket);
        return Some(
            Finding::warning(&subject, "destination", found)
                .expected("a destination of its own for each")
                .advice(
                    "where both sources have a key, the later one overwrites the other: write prefixes apart",
                ),
        );
    }
    None
}

fn longer<'a>(one: &'a str, other: &'a str) -> &'a str {
    if one.len() >= other.len() { one } else { other }
}

/// Whether a route leaves out all keys that begin so.
fn ignores(route: &Route, prefix: &str) -> bool {
    route.ignore.iter().any(|pattern| {
        let bucket = format!("{}/", route.source.bucket);
        let key = pattern.strip_prefix(&bucket).or_else(|| pattern.strip_prefix("*/"));
        let all = key.and_then(|key| key.strip_suffix('*'));
        // Other wildcards leave out less than everything.
        all.is_some_and(|start| !start.contains(['*', '?']) && prefix.starts_with(start))
    })
}

/// Whether what `from` writes starts `to`.
fn feeds(from: &Route, to: &Route) -> bool {
    to.events
        && from.destination.bucket == to.source.bucket
        && from.destination.location == to.source.location
        && begins(&from.destination.prefix, &to.source.prefix)
}

/// The first way that leads back to its own beginning.
fn circle(routes: &[Route]) -> Option<Finding> {
    let found = (0..routes.len()).find_map(|start| {
        let mut way = vec![start];
        walk(routes, start, &mut way).then_some(way)
    })?;
    let names: Vec<&str> = found.iter().chain([&found[0]]).map(|at| routes[*at].name.as_str()).collect();
    Some(
        Finding::wrong(&names.join(" -> "), "circle", "every object would be copied for ever")
            .expected("no way back to where objects come from")
            .advice("take one of these routes away, or write prefixes apart"),
    )
}

fn walk(routes: &[Route], start: usize, way: &mut Vec<usize>) -> bool {
    let Some(&at) = way.last() else { return false };
    if !routes[start].events {
        return false;
    }
    for next in 0..routes.len() {
        if !feeds(&routes[at], &routes[next]) {
            continue;
        }
        if next == start {
            return true;
        }
        if !way.contains(&next) {
            way.push(next);
            if walk(routes, start, way) {
                return true;
            }
            way.pop();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::super::setup::{End, Route};
    use super::judge;

    fn end(text: &str) -> End {
        let (location, rest) = text.split_once(':').unwrap();
        let (bucket, prefix) = rest.split_once('/').unwrap();
        End { location: location.to_owned(), bucket: bucket.to_owned(), prefix: prefix.to_owned() }
    }

    fn route(name: &str, source: &str, destination: &str) -> Route {
        let (source, destination) = (end(source), end(destination));
        Route { name: name.to_owned(), source, destination, events: true, ignore: Vec::new(), tags: true }
    }

    fn found(routes: &[Route]) -> Vec<(Verdict, &'static str, String)> {
        judge(routes).into_iter().map(|one| (one.verdict, one.check, one.subject)).collect()
    }

    #[test]
    fn a_prefix_within_another_to_one_place_is_wrong() {
        let wide = route("all", "g:photos/", "c:cn/");
        let narrow = route("some", "g:photos/2026/", "c:cn/2026/");
        let expected = vec![(Verdict::Wrong, "overlap", "all, some".to_owned())];
        assert_eq!(found(&[wide.clone(), narrow.clone()]), expected);
        let apart = route("old", "g:photos/2025/", "c:cn/2025/");
        assert_eq!(found(&[narrow.clone(), apart])[0].0, Verdict::Ok);
        let ignoring = Route { ignore: vec!["photos/2026/*".to_owned()], ..wide.clone() };
        assert_eq!(found(&[ignoring, narrow.clone()])[0].0, Verdict::Ok);
        let less =
            Route { ignore: vec!["photos/2026/*.jpg".to_owned(), "other/*".to_owned()], ..wide.clone() };
        assert_eq!(found(&[less, narrow.clone()])[0].0, Verdict::Wrong);
        let by_hand = Route { events: false, ..wide };
        assert_eq!(found(&[by_hand, narrow])[0].0, Verdict::Ok);
    }

    #[test]
    fn two_destinations_are_meant_if_the_prefix_is_the_same() {
        let china = route("china", "g:photos/", "c:cn/");
        let backup = route("backup", "g:photos/", "b:backup/");
        assert_eq!(found(&[china.clone(), backup])[0].0, Verdict::Ok);
        let part = route("part", "g:photos/2026/", "b:backup/2026/");
        assert_eq!(found(&[china, part]), [(Verdict::Warning, "overlap", "china, part".to_owned())]);
    }

    #[test]
    fn two_sources_into_one_key_space_are_told() {
        let one = route("one", "g:photos/", "c:cn/");
        let two = route("two", "g:videos/2026/", "c:cn/2026/");
        assert_eq!(found(&[one, two]), [(Verdict::Warning, "destination", "one, two".to_owned())]);
    }

    #[test]
    fn a_way_back_is_wrong_however_long() {
        let there = route("there", "g:a/", "c:b/");
        let back = route("back", "c:b/", "g:a/");
        assert_eq!(
            found(&[there.clone(), back])[0],
            (Verdict::Wrong, "circle", "there -> back -> there".to_owned())
        );
        let on = route("on", "c:b/", "o:d/");
        let home = route("home", "o:d/", "g:a/");
        assert_eq!(found(&[there.clone(), on.clone(), home.clone()])[0].2, "there -> on -> home -> there");
        let by_hand = Route { events: false, ..home };
        assert_eq!(found(&[there, on, by_hand])[0].0, Verdict::Ok);
        assert_eq!(found(&[route("self", "g:a/", "g:a/")])[0].1, "circle");
    }
}
