//! Whether every object that was listed is accounted for.

use transload_wire::{Counts, ErrorName, Failure, Found, Tally};

use crate::child::Kind;
use crate::gather::{Gathered, Sums};

fn plus(to: &mut Tally, tally: Tally) {
    to.objects += tally.objects;
    to.bytes += tally.bytes;
}

/// What became of everything: what failed in a round counts only if no later round took it up.
pub(crate) fn counts(found: &Found, gathered: &Gathered) -> Counts {
    let mut counts = Counts {
        listed: found.listed,
        present: found.present,
        skipped: found.skipped.clone(),
        parked: found.parked,
        ..Counts::default()
    };
    for (index, round) in gathered.rounds.iter().enumerate() {
        let last = index + 1 == gathered.rounds.len();
        for (kind, sums) in Kind::ALL.into_iter().zip(round) {
            add(&mut counts, kind, sums, last);
        }
    }
    counts
}

fn add(counts: &mut Counts, kind: Kind, sums: &Sums, last: bool) {
    let failed = if last { sums.failed } else { Tally::default() };
    if kind == Kind::Deletes {
        plus(&mut counts.deleted, sums.deleted);
        plus(&mut counts.undeleted, failed);
        sums.skipped.values().for_each(|tally| plus(&mut counts.kept, *tally));
        return;
    }
    plus(&mut counts.copied, sums.copied);
    plus(&mut counts.present, sums.present);
    plus(&mut counts.failed, failed);
    for (reason, tally) in &sums.skipped {
        plus(counts.skipped.entry(reason.clone()).or_default(), *tally);
    }
}

/// Each sum that has to agree. A round has to bring a record for each object that was given to it: the first for what List
/// found, a later one for what failed in the one before.
///
/// # Errors
/// `AccountingDiffers` with all sums that do not.
pub(crate) fn check(found: &Found, gathered: &Gathered) -> Result<(), Failure> {
    let skipped: u64 = found.skipped.values().map(|tally| tally.objects).sum();
    let parked = found.parked.objects;
    let split = found.present.objects + skipped + parked + found.small.objects + found.large.objects;
    let mut sums = vec![
        ("objects listed".to_owned(), found.listed.objects, split),
        ("objects in the lists of what is left out".to_owned(), skipped, gathered.left_out),
        ("objects in the lists of what is parked".to_owned(), parked, gathered.parked),
    ];
    let mut given = [found.small.objects, found.large.objects, found.deletes.objects];
    for (index, round) in gathered.rounds.iter().enumerate() {
        for ((kind, sum), given) in Kind::ALL.into_iter().zip(round).zip(&mut given) {
            sums.push((format!("records of {} in round {index}", kind.folder()), *given, sum.objects()));
            *given = sum.failed.objects;
        }
        // What was in a batch and has to be restored has an execution of its own in the next round.
        let [batches, ..] = round;
        given[0] -= batches.to_thaw.objects;
        given[1] += batches.to_thaw.objects;
    }
    let differ: Vec<_> = sums
        .into_iter()
        .filter(|(_, expected, found)| expected != found)
        .map(|(what, expected, found)| format!("{what}: expected {expected}, found {found}"))
        .collect();
    if differ.is_empty() { Ok(()) } else { Err(ErrorName::AccountingDiffers.because(differ.join("; "))) }
}
