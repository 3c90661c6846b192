//! What the kernel tells about a worker: resident memory, its peak, and processor time.

use std::{fs, time::Duration};

/// Unit of the times in `/proc/<pid>/stat`: `USER_HZ`, 100 on every architecture that Linux runs Lambda on.
const TICK: Duration = Duration::from_millis(10);

/// Memory of a process, in KiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Resident now (`VmRSS`).
    pub(crate) resident: u64,
    /// Most ever resident (`VmHWM`). Unlike `ru_maxrss` it starts anew at exec, so the parent's memory is not in it.
    pub(crate) peak: u64,
}

/// Memory of a live process; `None` once it is a zombie or gone.
pub(crate) fn memory(pid: u32) -> Option<Memory> {
    parse_memory(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

/// Processor time of a process and the children it has waited for, in steps of 10 ms. Also of a zombie.
pub(crate) fn cpu(pid: u32) -> Option<Duration> {
    parse_cpu(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn parse_memory(status: &str) -> Option<Memory> {
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    };
    Some(Memory { resident: field("VmRSS:")?, peak: field("VmHWM:")? })
}

fn parse_cpu(stat: &str) -> Option<Duration> {
    // The command's name stands in parentheses and may hold any byte, so count from the last one.
    let (_, fields) = stat.rsplit_once(')')?;
    // utime, stime, cutime, cstime are fields 14 to 17; the first after the name is 3.
    let times = fields.split_ascii_whitespace().skip(11).take(4);
    let ticks: Option<Vec<u32>> = times.map(|field| field.parse().ok()).collect();
    let ticks = ticks.filter(|ticks| ticks.len() == 4)?;
    Some(TICK * ticks.iter().sum::<u32>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_a_status_file() {
        let status = "Name:\tx\nVmPeak:\t 9 kB\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\nThreads:\t1\n";
        assert_eq!(parse_memory(status), Some(Memory { resident: 1024, peak: 2048 }));
        assert_eq!(parse_memory("Name:\tx\nState:\tZ (zombie)\n"), None);
    }

    #[test]
    fn times_are_found_behind_a_hostile_name() {
        let stat = "7 (a) b 1 (2) S 1 7 7 0 -1 4194560 99 0 0 0 12 30 4 5 20 0 1 0";
        assert_eq!(parse_cpu(stat), Some(Duration::from_millis(510)));
        assert_eq!(parse_cpu("7 (a) S 1"), None);
    }

    #[test]
    fn this_process_has_memory_and_time() {
        let found = memory(std::process::id()).unwrap();
        assert!(found.resident > 0 && found.peak >= found.resident / 2, "{found:?}");
        assert!(cpu(std::process::id()).is_some());
    }
}
