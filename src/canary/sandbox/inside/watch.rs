//! All processes of a step, seen from outside its cell, where it cannot interfere.

use std::{collections::BTreeMap, fs};

/// Kibibytes of memory that these processes have of their own, swapped or not: anonymous, and
/// shared with each other, which counts for each.
pub(super) fn memory(processes: &[i32]) -> u64 {
    processes
        .iter()
        .filter_map(|it| fs::read_to_string(format!("/proc/{it}/status")).ok())
        .map(|status| memory_of(&status))
        .sum()
}

fn memory_of(status: &str) -> u64 {
    let counted = ["RssAnon:", "RssShmem:", "VmSwap:"];
    status
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .filter(|(name, _)| counted.contains(name))
        .filter_map(|(_, value)| value.trim().strip_suffix(" kB")?.parse::<u64>().ok())
        .sum()
}

/// All processes below `root`, itself not among them.
pub(super) fn below(root: i32) -> Vec<i32> {
    let parents: BTreeMap<i32, i32> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|process: i32| {
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
            Some((process, parent_of(&stat)?))
        })
        .collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(parents.iter().filter(|(_, it)| **it == parent).map(|(process, _)| *process));
        next += 1;
    }
    found.split_off(1)
}

/// The fourth field. The second is a name in parentheses, of which each may contain any.
fn parent_of(stat: &str) -> Option<i32> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_forge_a_parent() {
        assert_eq!(parent_of("7 (a) S 1 (b) R 42 7 7 0"), Some(42));
        assert_eq!(parent_of("7 (sh) S 41 7 7 0"), Some(41));
        assert_eq!(parent_of("7"), None);
    }

    #[test]
    fn memory_is_what_a_process_has_of_its_own() {
        let status = "Name:\tx\nVmRSS:\t  900 kB\nRssAnon:\t  100 kB\nRssFile:\t  700 kB\n\
                      RssShmem:\t   20 kB\nVmSwap:\t    3 kB\n";
        assert_eq!(memory_of(status), 123);
    }

    #[test]
    fn children_are_found() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        let found = below(own);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found.contains(&i32::try_from(child.id()).unwrap()) && !found.contains(&own));
    }
}
