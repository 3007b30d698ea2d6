//! What a job's key is made of, and what is different from the last time. Reads only.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cache::{Cache, Tier};
use crate::definition::{Definition, Job};
use crate::history::History;
use crate::key::{Difference, Parts};
use crate::plan::Plan;
use crate::run::{Ground, Keying, RunError};

/// The account of one job's key.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Why {
    /// The job.
    pub job: String,
    /// Its key now.
    pub key: String,
    /// What the key is made of.
    pub parts: Parts,
    /// Whether a kept result has this key.
    pub is_cached: bool,
    /// Why no result of it is ever kept.
    pub never_cached: Option<String>,
    /// What is different now from the last time it ended; none where it never did.
    pub since_last: Option<Vec<Difference>>,
    /// What was different the last time from the time before; none where there was none.
    pub last_since_before: Option<Vec<Difference>>,
}

/// Says what the key of `name` is made of. Must be called within a Tokio runtime.
pub async fn why(definition: &Definition, ground: &Ground, name: &str) -> Result<Why, RunError> {
    let plan = Plan::new(definition, &[name.to_owned()], &BTreeMap::new())?;
    let own = crate::run::own_folders(ground);
    let file = |source| RunError::File {
        path: definition.root.clone(),
        source,
    };
    let clock = ground.clock.clone();
    let prepared = Keying::prepare(definition, &ground.env, clock, &ground.cache, &own).await;
    let mut keying = prepared.map_err(file)?;
    let mut keys: BTreeMap<String, String> = BTreeMap::new();
    let mut found = None;
    for step in &plan.order {
        let Some(job) = definition.jobs.get(step) else {
            continue;
        };
        let needs = job.needs.iter();
        let needs = needs.map(|need| (need.clone(), keys.get(need).cloned().unwrap_or_default()));
        let keyed = keying
            .of(step, job, needs.collect())
            .map_err(|error| RunError::Job {
                job: step.clone(),
                source: std::io::Error::other(error),
            })?;
        let is_kept = never_cached(job, &keying).is_none();
        keys.insert(
            step.clone(),
            if is_kept {
                keyed.key.clone()
            } else {
                String::new()
            },
        );
        if step == name {
            found = Some((job, keyed));
        }
    }
    let Some((job, keyed)) = found else {
        let source = std::io::Error::other("it is not in its own plan");
        return Err(RunError::Job {
            job: name.to_owned(),
            source,
        });
    };
    let known = History::load(&ground.cache).keys(name);
    let cache = Cache::open(&ground.cache).map_err(file)?;
    let never_cached = never_cached(job, &keying).or_else(|| {
        let keyless = job
            .needs
            .iter()
            .find(|n| keys.get(*n).is_none_or(String::is_empty))?;
        Some(format!(
            "the job {keyless}, which it needs, is never cached"
        ))
    });
    let entry = cache.find(&keyed.key, Tier::LocalDirty).map_err(file)?;
    Ok(Why {
        job: name.to_owned(),
        is_cached: never_cached.is_none() && entry.is_some(),
        never_cached,
        since_last: known.as_ref().map(|k| keyed.parts.differences(&k.last)),
        last_since_before: known
            .as_ref()
            .and_then(|k| Some(k.last.differences(k.before.as_ref()?))),
        key: keyed.key,
        parts: keyed.parts,
    })
}

fn never_cached(job: &Job, keying: &Keying<'_>) -> Option<String> {
    if !job.cache {
        return Some("slipway.toml says cache = false".to_owned());
    }
    if !job.secrets.is_empty() {
        return Some("it uses secrets".to_owned());
    }
    let (command, reason) = keying.fingerprints.silent.first_key_value()?;
    Some(format!("the toolchain is not known: {command}: {reason}"))
}
