//! Patterns, joins and cuts of keys against references that are slow and plain.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use transload_plan::{
    Alphabet, Facts, Filter, FilterRules, Glob, IgnoreList, Joined, Keyed, Merge, Slashes, Step, middle,
};

/// Whether a pattern matches, by dynamic programming over all beginnings of both.
fn reference(pattern: &str, key: &str, cross: bool) -> bool {
    let (pattern, key): (Vec<char>, Vec<char>) = (pattern.chars().collect(), key.chars().collect());
    let mut table = vec![vec![false; key.len() + 1]; pattern.len() + 1];
    table[0][0] = true;
    for i in 1..=pattern.len() {
        let doubled = pattern[i - 1] == '*'
            && (cross || (i > 1 && pattern[i - 2] == '*') || pattern.get(i) == Some(&'*'));
        for j in 0..=key.len() {
            table[i][j] = match pattern[i - 1] {
                '*' => table[i - 1][j] || (j > 0 && table[i][j - 1] && (doubled || key[j - 1] != '/')),
                '?' => j > 0 && table[i - 1][j - 1] && (cross || key[j - 1] != '/'),
                letter => j > 0 && table[i - 1][j - 1] && key[j - 1] == letter,
            };
        }
    }
    table[pattern.len()][key.len()]
}

fn pattern() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!['a', 'b', '/', '*', '?', '\u{e9}', '\u{1f680}']), 1..12)
        .prop_map(String::from_iter)
}

fn key() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!['a', 'b', '/', '*', '\u{e9}', '\u{1f680}']), 0..14)
        .prop_map(String::from_iter)
}

#[derive(Debug, Clone, PartialEq)]
struct Row(String);

impl Keyed for Row {
    fn key(&self) -> &str {
        &self.0
    }
}

fn rows(keys: &BTreeSet<String>) -> Vec<Row> {
    keys.iter().cloned().map(Row).collect()
}

fn next_page(rows: &mut Vec<Row>, page: usize) -> (Vec<Row>, bool) {
    let page: Vec<Row> = rows.drain(..page.min(rows.len())).collect();
    (page, rows.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_pattern_matches_what_the_reference_says(pattern in pattern(), keys in prop::collection::vec(key(), 8)) {
        for (slashes, cross) in [(Slashes::Stop, false), (Slashes::Cross, true)] {
            let glob = Glob::new(&pattern, slashes).unwrap();
            for key in &keys {
                prop_assert_eq!(glob.matches(key), reference(&pattern, key, cross), "{} {}", pattern, key);
            }
        }
    }

    #[test]
    fn an_ignore_list_covers_what_any_of_its_lines_matches(
        lines in prop::collection::vec(pattern(), 0..4),
        key in key(),
    ) {
        let lines: Vec<String> = lines.iter().map(|line| format!("bucket/{line}")).collect();
        let list = IgnoreList::parse(&lines.join("\n")).unwrap();
        let path = format!("bucket/{key}");
        prop_assert_eq!(list.covers(&path), lines.iter().any(|line| reference(line, &path, true)));
    }

    #[test]
    fn a_filter_is_all_its_rules_together(
        include in prop::collection::vec(pattern(), 0..3),
        exclude in prop::collection::vec(pattern(), 0..3),
        key in key(),
        (least, most, size) in (0..5_u64, 5..9_u64, 0..10_u64),
        (after, before, day) in (1..10_u32, 10..20_u32, 1..20_u32),
    ) {
        let date = |day: u32| format!("2026-01-{day:02}");
        let (after_text, before_text) = (date(after), date(before));
        let filter = Filter::new(&FilterRules {
            include: &include,
            exclude: &exclude,
            min_size: Some(least),
            max_size: Some(most),
            modified_after: Some(&after_text),
            modified_before: Some(&before_text),
            ..FilterRules::default()
        }).unwrap();
        let modified = format!("{}T00:00:00Z", date(day));
        let whole = format!("p/{key}");
        let object = Facts { bucket: "bucket", key: &whole, relative: &key, size, modified: &modified, class: "STANDARD" };
        let any = |patterns: &[String]| patterns.iter().any(|pattern| reference(pattern, &key, false));
        let expected = (include.is_empty() || any(&include))
            && !any(&exclude)
            && (least..=most).contains(&size)
            && (after..before).contains(&day);
        prop_assert_eq!(filter.judge(&object).is_none(), expected);
    }

    #[test]
    fn a_join_has_every_key_once_with_those_who_have_it(
        source in prop::collection::btree_set(key(), 0..20),
        destination in prop::collection::btree_set(key(), 0..20),
        (of_source, of_destination) in (1..7_usize, 1..7_usize),
    ) {
        let (mut from, mut to) = (rows(&source), rows(&destination));
        let mut merge = Merge::default();
        let mut joined = Vec::new();
        loop {
            match merge.step() {
                Step::NeedsSource => {
                    let (page, ended) = next_page(&mut from, of_source);
                    merge.feed_source(page, ended).unwrap();
                }
                Step::NeedsDestination => {
                    let (page, ended) = next_page(&mut to, of_destination);
                    merge.feed_destination(page, ended).unwrap();
                }
                Step::Row(row) => joined.push(match row {
                    Joined::Both(s, d) => {
                        prop_assert_eq!(&s, &d);
                        (s.0, (true, true))
                    }
                    Joined::Source(s) => (s.0, (true, false)),
                    Joined::Destination(d) => (d.0, (false, true)),
                }),
                Step::End => break,
            }
        }
        let all: BTreeSet<&String> = source.union(&destination).collect();
        let expected: Vec<_> = all
            .into_iter()
            .map(|key| (key.clone(), (source.contains(key), destination.contains(key))))
            .collect();
        prop_assert_eq!(joined, expected);
    }

    #[test]
    fn a_listing_out_of_order_is_refused_on_one_page_and_over_two(
        keys in prop::collection::btree_set(key(), 2..10),
        (at, cut) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        double in any::<bool>(),
    ) {
        let mut listed = rows(&keys);
        let at = at.index(listed.len() - 1);
        if double {
            listed[at + 1] = listed[at].clone();
        } else {
            listed.swap(at, at + 1);
        }
        let (front, back) = listed.split_at(cut.index(listed.len() + 1));
        let mut merge: Merge<Row, Row> = Merge::default();
        let fed = merge.feed_source(front.to_vec(), false).and_then(|()| merge.feed_source(back.to_vec(), true));
        prop_assert!(fed.is_err());
        let mut merge: Merge<Row, Row> = Merge::default();
        let fed = merge.feed_destination(front.to_vec(), false);
        prop_assert!(fed.and_then(|()| merge.feed_destination(back.to_vec(), true)).is_err());
    }

    #[test]
    fn a_cut_lies_inside_and_its_halves_have_every_key_once(
        keys in prop::collection::btree_set("[ -~\u{e9}\u{1f680}]{0,6}", 1..40),
        (low, high) in ("[ -~\u{e9}]{0,5}", prop::option::of("[ -~\u{1f680}]{1,5}")),
        seen in "[ -~]{0,8}",
    ) {
        let mut alphabet = Alphabet::default();
        alphabet.learn(&seen);
        if let Some(middle) = middle(&low, high.as_deref(), alphabet) {
            prop_assert!(low < middle && high.as_ref().is_none_or(|high| middle < *high), "{} {:?} {:?}", low, middle, high);
            let inside = |key: &&String, low: &str, high: Option<&str>| {
                key.as_str() > low && high.is_none_or(|high| key.as_str() <= high)
            };
            let count = |low: &str, high: Option<&str>| keys.iter().filter(|key| inside(key, low, high)).count();
            prop_assert_eq!(
                count(&low, Some(&middle)) + count(&middle, high.as_deref()),
                count(&low, high.as_deref())
            );
        }
    }

    /// Cut again and again, a bucket is shared evenly enough: no part of eight keeps more than half of the keys.
    #[test]
    fn cuts_share_what_is_spread(digits in 3..6_usize, prefix in "[a-z]{0,6}/") {
        let keys: Vec<String> =
            (0..500_usize).map(|n| format!("{prefix}{:0digits$}", n * 10_usize.pow(digits as u32 - 3) * 2)).collect();
        let mut alphabet = Alphabet::default();
        keys.iter().for_each(|key| alphabet.learn(key));
        let mut ranges: Vec<(String, Option<String>)> = vec![(String::new(), None)];
        let size = |(low, high): &(String, Option<String>)| {
            keys.iter().filter(|key| *key > low && high.as_ref().is_none_or(|high| *key <= high)).count()
        };
        for _ in 0..40 {
            let Some(at) = (0..ranges.len()).max_by_key(|at| size(&ranges[*at])) else { break };
            let (low, high) = ranges.swap_remove(at);
            match middle(&low, high.as_deref(), alphabet) {
                Some(middle) => ranges.extend([(low, Some(middle.clone())), (middle, high)]),
                None => ranges.push((low, high)),
            }
        }
        let sizes: BTreeMap<_, _> = ranges.iter().map(|range| (range.clone(), size(range))).collect();
        prop_assert_eq!(sizes.values().sum::<usize>(), 500);
        prop_assert!(sizes.values().all(|size| *size <= 250), "{:?}", sizes);
    }
}
