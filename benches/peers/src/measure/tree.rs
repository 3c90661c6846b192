//! Peak memory of a tree of processes, by looking at /proc.

use std::collections::BTreeMap;
use std::fs;

/// The largest values seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Peak {
    /// Of the sum over processes alive at a look, bytes.
    pub(super) sum: u64,
    /// Of one process, bytes.
    pub(super) max: u64,
    /// Of one process with this last argument, bytes.
    pub(super) by_argument: BTreeMap<String, u64>,
}

impl Peak {
    /// Looks at all descendants of `root`, not at `root`.
    pub(super) fn look(&mut self, root: i32) {
        let mut sum = 0;
        for pid in descendants(root) {
            // Gone between two reads: it counts no more.
            let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { continue };
            let peak = resident_peak(&status).unwrap_or(0);
            self.max = self.max.max(peak);
            let entry = self.by_argument.entry(last_argument(pid)).or_default();
            *entry = peak.max(*entry);
            sum += peak;
        }
        self.sum = self.sum.max(sum);
    }
}

fn last_argument(pid: i32) -> String {
    let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    line.trim_end_matches('\0').rsplit('\0').next().unwrap_or_default().to_owned()
}

fn descendants(root: i32) -> Vec<i32> {
    let (mut found, mut open) = (Vec::new(), vec![root]);
    while let Some(pid) = open.pop() {
        let children = children(pid);
        open.extend(&children);
        found.extend(children);
    }
    found
}

/// Children hang at the thread that started them.
fn children(pid: i32) -> Vec<i32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists =
        threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| numbers(&list)).collect()
}

fn numbers(list: &str) -> Vec<i32> {
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// `VmHWM` of a status file, bytes.
fn resident_peak(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_in_bytes() {
        assert_eq!(resident_peak("Name:\tx\nVmHWM:\t    3072 kB\nVmRSS:\t 10 kB\n"), Some(3 << 20));
        assert_eq!(resident_peak("Name:\tkthreadd\n"), None);
    }

    #[test]
    fn own_children_are_descendants() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let found = descendants(i32::try_from(std::process::id()).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found.contains(&i32::try_from(child.id()).unwrap()));
    }
}
