//! Every two of F01 to F33 at once, on five parts.

use crate::injector::world_with;
use crate::injectors::{ROWS, row};
use crate::kit::case;

fn together(numbers: &[u32]) {
    case(numbers, async {
        let (world, course) = world_with(numbers.iter().map(|number| row(*number)).collect()).await?;
        course.run(&world).await
    });
}

#[test]
fn each_row_alone_as_a_value() {
    for number in ROWS {
        together(&[number]);
    }
}

/// A third of the pairs each, so that they run beside each other.
fn third(rest: u32) -> usize {
    let pairs = ROWS.flat_map(|one| (one + 1..=*ROWS.end()).map(move |other| [one, other]));
    let pairs: Vec<_> = pairs.filter(|[one, other]| (one + other) % 3 == rest).collect();
    pairs.iter().for_each(|pair| together(pair));
    pairs.len()
}

#[test]
fn pairs_of_rows_first_third() {
    assert_eq!(third(0), 176);
}

#[test]
fn pairs_of_rows_second_third() {
    assert_eq!(third(1), 176);
}

#[test]
fn pairs_of_rows_last_third() {
    assert_eq!(third(2), 176);
}
