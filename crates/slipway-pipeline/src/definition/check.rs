//! What can only be seen of all jobs together: needs that lead nowhere or back, and
//! outputs that two jobs claim.

use std::collections::BTreeMap;

use super::job::Read;
use super::table::Notes;
use crate::problem::suggest;

/// Every need exists, and none leads back to where it started.
pub(super) fn needs(notes: &Notes, jobs: &BTreeMap<String, Read>) {
    for (name, read) in jobs {
        for need in &read.needs {
            if !jobs.contains_key(need.get_ref()) {
                notes.add(
                    need.span(),
                    format!("job.{name}.needs: there is no job {:?}", need.get_ref()),
                    "no such job",
                    suggest(need.get_ref(), jobs.keys().map(String::as_str)),
                );
            }
        }
    }
    if let Some(cycle) = cycle(jobs)
        && let (Some(first), Some(second)) = (cycle.first(), cycle.get(1))
        && let Some(read) = jobs.get(*first)
    {
        let span = read.needs.iter().find(|n| n.get_ref() == second);
        notes.add(
            span.map_or(read.name_span.clone(), toml::Spanned::span),
            format!(
                "the jobs need each other in a circle: {}",
                cycle.join(" → ")
            ),
            "this need closes the circle",
            "take one of these needs away",
        );
    }
}

/// The names along a cycle, the first one again at the end.
fn cycle(jobs: &BTreeMap<String, Read>) -> Option<Vec<&str>> {
    let mut done: Vec<&str> = Vec::new();
    for start in jobs.keys() {
        let mut path = Vec::new();
        if let Some(cycle) = visit(start, jobs, &mut path, &mut done) {
            return Some(cycle);
        }
    }
    None
}

fn visit<'a>(
    name: &'a str,
    jobs: &'a BTreeMap<String, Read>,
    path: &mut Vec<&'a str>,
    done: &mut Vec<&'a str>,
) -> Option<Vec<&'a str>> {
    if let Some(at) = path.iter().position(|n| *n == name) {
        let mut cycle: Vec<&str> = path.iter().skip(at).copied().collect();
        cycle.push(name);
        return Some(cycle);
    }
    if done.contains(&name) {
        return None;
    }
    path.push(name);
    let read = jobs.get(name)?;
    for need in &read.needs {
        if let Some((need, _)) = jobs.get_key_value(need.get_ref())
            && let Some(cycle) = visit(need, jobs, path, done)
        {
            return Some(cycle);
        }
    }
    path.pop();
    done.push(name);
    None
}

/// No file is made by two jobs, not even as a part of a folder.
pub(super) fn outputs(notes: &Notes, jobs: &BTreeMap<String, Read>) {
    let mut claimed: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, read) in jobs {
        for output in &read.outputs {
            let path = output.get_ref().trim_end_matches('/');
            let other = claimed.iter().find(|(other, _)| overlap(other, path));
            if let Some((_, owner)) = other {
                notes.add(
                    output.span(),
                    format!("job.{name}.outputs: {path:?} is an output of job {owner:?} as well"),
                    "claimed twice",
                    "give each job outputs of its own, and let one need the other",
                );
            }
            claimed.insert(path, name);
        }
    }
}

fn overlap(one: &str, two: &str) -> bool {
    let holds = |outer: &str, inner: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    holds(one, two) || holds(two, one)
}
