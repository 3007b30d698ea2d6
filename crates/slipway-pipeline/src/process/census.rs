//! Who runs, and whose child is whose, read from `/proc` at one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;

use super::MARK;

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) pid: i32,
    pub(super) parent: i32,
    pub(super) group: i32,
    pub(super) session: i32,
    pub(super) is_zombie: bool,
}

/// Every process of the machine that can be seen.
#[derive(Debug)]
pub(super) struct Census {
    own: i32,
    people: BTreeMap<i32, Person>,
    children: BTreeMap<i32, Vec<i32>>,
}

impl Census {
    pub(super) fn take() -> io::Result<Self> {
        let mut people = BTreeMap::new();
        let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(pid) = name.to_str().and_then(|n| n.parse::<i32>().ok()) else {
                continue;
            };
            // Processes come and go while the list is read.
            let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
                continue;
            };
            if let Some(person) = parse(pid, &stat) {
                children.entry(person.parent).or_default().push(pid);
                people.insert(pid, person);
            }
        }
        Ok(Self {
            own: rustix::process::getpid().as_raw_pid(),
            people,
            children,
        })
    }

    /// The children of this very process.
    pub(super) fn own_children(&self) -> impl Iterator<Item = &Person> {
        let own = self.children.get(&self.own);
        own.into_iter()
            .flatten()
            .filter_map(|pid| self.people.get(pid))
    }

    /// Processes whose mark begins with that of the run `run`.
    pub(super) fn marked(&self, run: &str) -> BTreeSet<i32> {
        self.people
            .keys()
            .copied()
            .filter(|pid| *pid != self.own && has_mark(*pid, run))
            .collect()
    }

    /// `seeds` and all that descends from them, without those that ended already.
    pub(super) fn with_descendants(&self, seeds: BTreeSet<i32>) -> BTreeSet<i32> {
        let mut open: Vec<i32> = seeds.into_iter().collect();
        let mut seen = BTreeSet::new();
        while let Some(pid) = open.pop() {
            if pid == self.own || !seen.insert(pid) {
                continue;
            }
            open.extend(self.children.get(&pid).into_iter().flatten());
        }
        seen.retain(|pid| self.people.get(pid).is_some_and(|p| !p.is_zombie));
        seen
    }
}

/// Whether the environment of a process carries a mark that begins with `mark`.
pub(super) fn has_mark(pid: i32, mark: &str) -> bool {
    let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else {
        return false;
    };
    let wanted = format!("{MARK}={mark}");
    environment
        .split(|byte| *byte == 0)
        .any(|pair| pair.starts_with(wanted.as_bytes()))
}

/// The children of this process, without looking at any other; none where the kernel
/// does not tell.
pub(super) fn own_children() -> Option<Vec<i32>> {
    let mut children = Vec::new();
    for task in fs::read_dir("/proc/self/task").ok()? {
        let list = fs::read_to_string(task.ok()?.path().join("children")).ok()?;
        children.extend(
            list.split_whitespace()
                .filter_map(|p| p.parse::<i32>().ok()),
        );
    }
    Some(children)
}

/// The name in brackets may hold spaces and brackets, so fields count from the last one.
fn parse(pid: i32, stat: &str) -> Option<Person> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    let mut number = || fields.next()?.parse::<i32>().ok();
    Some(Person {
        pid,
        parent: number()?,
        group: number()?,
        session: number()?,
        is_zombie: matches!(state, "Z" | "X" | "x"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_confuse_the_fields() {
        let person = parse(9, "9 (a) Z) S 1 7 6 0 -1").unwrap();
        assert_eq!((person.parent, person.group, person.session), (1, 7, 6));
        assert!(!person.is_zombie);
    }
}
