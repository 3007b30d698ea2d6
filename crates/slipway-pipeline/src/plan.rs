//! Which jobs are run, and which of those that could start does so first: the one with the
//! longest way still to go behind it. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::definition::Definition;
use crate::problem::suggest;

/// What a job without a history is taken to last.
const UNKNOWN: Duration = Duration::from_secs(10);

/// The jobs of a run and their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Every job after those that it needs.
    pub(crate) order: Vec<String>,
    /// The longest way from a job's start to the end of the run, by the job.
    pub(crate) remaining: BTreeMap<String, Duration>,
    /// The jobs of the plan that need a job, by that job.
    pub(crate) dependents: BTreeMap<String, Vec<String>>,
}

/// A job that was asked for and that is not in the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no job {name:?}; {hint}")]
pub struct NoSuchJob {
    name: String,
    hint: String,
}

impl Plan {
    /// The jobs asked for with all that they need; every job where none is named.
    pub(crate) fn new(
        definition: &Definition,
        asked: &[String],
        history: &BTreeMap<String, Duration>,
    ) -> Result<Self, NoSuchJob> {
        for name in asked {
            if !definition.jobs.contains_key(name) {
                return Err(NoSuchJob {
                    name: name.clone(),
                    hint: suggest(name, definition.jobs.keys().map(String::as_str)),
                });
            }
        }
        let mut order = Vec::new();
        let mut seen = BTreeSet::new();
        let all: Vec<&String> = if asked.is_empty() {
            definition.jobs.keys().collect()
        } else {
            asked.iter().collect()
        };
        for name in all {
            add(definition, name, &mut seen, &mut order);
        }
        let mut dependents: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in &order {
            for need in definition
                .jobs
                .get(name)
                .into_iter()
                .flat_map(|job| &job.needs)
            {
                dependents
                    .entry(need.clone())
                    .or_default()
                    .push(name.clone());
            }
        }
        let mut remaining: BTreeMap<String, Duration> = BTreeMap::new();
        for name in order.iter().rev() {
            let own = history.get(name).copied().unwrap_or(UNKNOWN);
            let behind = dependents.get(name).into_iter().flatten();
            let behind = behind.filter_map(|other| remaining.get(other)).max();
            let way = own + behind.copied().unwrap_or_default();
            remaining.insert(name.clone(), way);
        }
        Ok(Self {
            order,
            remaining,
            dependents,
        })
    }
}

/// Needs have no circle, so this ends.
fn add(definition: &Definition, name: &str, seen: &mut BTreeSet<String>, order: &mut Vec<String>) {
    if !seen.insert(name.to_owned()) {
        return;
    }
    if let Some(job) = definition.jobs.get(name) {
        for need in &job.needs {
            add(definition, need, seen, order);
        }
        order.push(name.to_owned());
    }
}

/// The longest chain of jobs that waited for each other, as it came to be, with how long
/// each took.
pub(crate) fn critical_path(
    definition: &Definition,
    plan: &Plan,
    took: &BTreeMap<String, Duration>,
) -> Vec<(String, Duration)> {
    let mut longest: BTreeMap<&str, (Duration, Option<&str>)> = BTreeMap::new();
    for name in &plan.order {
        let before = definition
            .jobs
            .get(name)
            .into_iter()
            .flat_map(|job| &job.needs);
        let before = before
            .filter_map(|need| longest.get_key_value(need.as_str()))
            .map(|(need, (time, _))| (*time, *need))
            .max();
        let own = took.get(name).copied().unwrap_or_default();
        let entry = match before {
            Some((time, need)) => (time + own, Some(need)),
            None => (own, None),
        };
        longest.insert(name, entry);
    }
    let last = longest.iter().max_by_key(|(_, (time, _))| *time);
    let mut next = last.map(|(name, _)| *name);
    let mut path = Vec::new();
    while let Some(name) = next {
        path.push((name.to_owned(), took.get(name).copied().unwrap_or_default()));
        next = longest.get(name).and_then(|(_, before)| *before);
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn definition() -> Definition {
        let job = |name: &str, needs: &str| {
            format!("[job.{name}]\nrun = [\"true\"]\ncache = false\nneeds = [{needs}]\n")
        };
        let text = format!(
            "[project]\nname = \"a\"\n{}{}{}{}{}",
            job("fmt", ""),
            job("lint", "\"fmt\""),
            job("test", "\"fmt\""),
            job("build", ""),
            job("package", "\"test\", \"build\"")
        );
        Definition::parse("slipway.toml", &text, Path::new("/")).unwrap()
    }

    fn seconds(pairs: &[(&str, u64)]) -> BTreeMap<String, Duration> {
        let pair = |(name, s): &(&str, u64)| ((*name).to_owned(), Duration::from_secs(*s));
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_job_brings_all_that_it_needs_and_nothing_else() {
        let plan = Plan::new(&definition(), &["test".into()], &BTreeMap::new()).unwrap();
        assert_eq!(plan.order, ["fmt", "test"]);
    }

    #[test]
    fn the_longest_way_behind_a_job_decides() {
        let history = seconds(&[
            ("fmt", 1),
            ("lint", 2),
            ("test", 50),
            ("build", 60),
            ("package", 5),
        ]);
        let plan = Plan::new(&definition(), &[], &history).unwrap();
        assert_eq!(plan.remaining["build"], Duration::from_secs(65));
        assert_eq!(plan.remaining["fmt"], Duration::from_secs(56));
        assert_eq!(plan.remaining["lint"], Duration::from_secs(2));
    }

    #[test]
    fn the_critical_path_is_the_chain_that_lasted_longest() {
        let definition = definition();
        let plan = Plan::new(&definition, &[], &BTreeMap::new()).unwrap();
        let took = seconds(&[
            ("fmt", 1),
            ("test", 9),
            ("build", 8),
            ("package", 1),
            ("lint", 1),
        ]);
        let names: Vec<String> = critical_path(&definition, &plan, &took)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["fmt", "test", "package"]);
    }

    #[test]
    fn a_job_that_is_not_there_is_refused_with_a_suggestion() {
        let error = Plan::new(&definition(), &["tset".into()], &BTreeMap::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no job \"tset\"; did you mean \"test\"?"
        );
    }
}
