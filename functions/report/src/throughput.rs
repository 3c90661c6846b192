//! What was copied when: a fixed number of intervals that grow with the length of the run.

use serde::Serialize;

/// Intervals: as many bars as a narrow screen shows.
const BINS: usize = 120;

/// Bytes and objects of each interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Throughput {
    start: u64,
    /// Milliseconds of an interval.
    width: u64,
    bins: Vec<Bin>,
}

/// One interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Bin {
    pub(crate) bytes: u64,
    pub(crate) objects: u64,
}

impl Throughput {
    /// Of a run that began at this time, in milliseconds.
    pub(crate) fn since(start: u64) -> Self {
        Self { start, width: 1_000, bins: Vec::new() }
    }

    /// Adds what was done by a time.
    pub(crate) fn add(&mut self, at: u64, bytes: u64, objects: u64) {
        let since = at.saturating_sub(self.start);
        while since / self.width >= BINS as u64 {
            self.width *= 2;
            self.bins = self.bins.chunks(2).map(sum).collect();
        }
        let index = usize::try_from(since / self.width).unwrap_or(BINS - 1);
        if self.bins.len() <= index {
            self.bins.resize(index + 1, Bin::default());
        }
        if let Some(bin) = self.bins.get_mut(index) {
            *bin = sum(&[*bin, Bin { bytes, objects }]);
        }
    }

    /// Seconds of an interval.
    pub(crate) fn seconds(&self) -> u64 {
        self.width / 1_000
    }

    /// The intervals, from the first.
    pub(crate) fn bins(&self) -> &[Bin] {
        &self.bins
    }
}

fn sum(bins: &[Bin]) -> Bin {
    bins.iter().fold(Bin::default(), |sum, bin| Bin {
        bytes: sum.bytes + bin.bytes,
        objects: sum.objects + bin.objects,
    })
}

#[cfg(test)]
mod tests {
    use super::{BINS, Throughput};

    #[test]
    fn a_run_of_any_length_keeps_every_byte_in_as_many_intervals() {
        let mut throughput = Throughput::since(5_000);
        for second in 0..100_000_u64 {
            throughput.add(5_000 + second * 1_000, second, 1);
        }
        assert!(throughput.bins().len() <= BINS && throughput.seconds() == 1_024);
        let sums = throughput.bins().iter().fold((0, 0), |s, b| (s.0 + b.bytes, s.1 + b.objects));
        assert_eq!(sums, (4_999_950_000, 100_000));
        assert_eq!(throughput.bins()[1].objects, 1_024);
    }
}
