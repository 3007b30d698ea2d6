//! Which jobs can start now: those whose needs have all passed, the one with the longest way
//! behind it first; of equals, the one that the plan has first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::definition::Definition;
use crate::plan::Plan;

/// The jobs that have not started.
#[derive(Debug)]
pub(super) struct Queue {
    /// How many needs of a job have not passed.
    unmet: BTreeMap<String, usize>,
    ready: BTreeSet<(Reverse<Duration>, usize)>,
    ranks: BTreeMap<String, (Reverse<Duration>, usize)>,
    dependents: BTreeMap<String, Vec<String>>,
    order: Vec<String>,
}

impl Queue {
    pub(super) fn new(plan: &Plan, definition: &Definition) -> Self {
        let rank = |(index, name): (usize, &String)| {
            let way = plan.remaining.get(name).copied().unwrap_or_default();
            (name.clone(), (Reverse(way), index))
        };
        let mut queue = Self {
            unmet: BTreeMap::new(),
            ready: BTreeSet::new(),
            ranks: plan.order.iter().enumerate().map(rank).collect(),
            dependents: plan.dependents.clone(),
            order: plan.order.clone(),
        };
        for name in &plan.order {
            let needs = definition.jobs.get(name).map_or(0, |job| job.needs.len());
            queue.unmet.insert(name.clone(), needs);
            if needs == 0 {
                queue.ready.extend(queue.ranks.get(name));
            }
        }
        queue
    }

    /// Takes out the first job that `fits`.
    pub(super) fn take(&mut self, fits: impl Fn(&str) -> bool) -> Option<String> {
        let found = self.ready.iter().find(|(_, index)| {
            let name = self.order.get(*index);
            name.is_some_and(|name| fits(name))
        });
        let rank = *found?;
        self.ready.remove(&rank);
        self.order.get(rank.1).cloned()
    }

    /// A job has passed; what waited for it last is ready.
    pub(super) fn passed(&mut self, name: &str) {
        for dependent in self.dependents.get(name).into_iter().flatten() {
            if let Some(unmet) = self.unmet.get_mut(dependent) {
                *unmet = unmet.saturating_sub(1);
                if *unmet == 0 {
                    self.ready.extend(self.ranks.get(dependent));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_longest_way_goes_first_and_needs_are_waited_for() {
        let job = |name: &str, needs: &str| {
            format!("[job.{name}]\nrun = [\"true\"]\ncache = false\nneeds = [{needs}]\n")
        };
        let text = format!(
            "[project]\nname = \"a\"\n{}{}{}",
            job("short", ""),
            job("long", ""),
            job("last", "\"long\", \"short\"")
        );
        let definition = Definition::parse("slipway.toml", &text, Path::new("/")).unwrap();
        let history = BTreeMap::from([("long".to_owned(), Duration::from_secs(60))]);
        let plan = Plan::new(&definition, &[], &history).unwrap();
        let mut queue = Queue::new(&plan, &definition);
        assert_eq!(queue.take(|name| name != "long").as_deref(), Some("short"));
        assert_eq!(queue.take(|_| true).as_deref(), Some("long"));
        assert_eq!(queue.take(|_| true), None);
        queue.passed("short");
        assert_eq!(queue.take(|_| true), None);
        queue.passed("long");
        assert_eq!(queue.take(|_| true).as_deref(), Some("last"));
    }
}
