//! Whose change a release is: who wrote what lies between the live release and it, by what Git
//! and the release's provenance say, who made it and who orders it. Addresses stay here; the
//! journal only ever gets accounts. Git's word on who wrote something is not proved by anybody.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use slipway_journal::event::PipelineEvent;
use slipway_journal::{Actor, Entry, Event, ReleaseId, ServiceName};

use crate::control::orders::{Desk, No};
use crate::environment::Change;

/// What is read of `provenance.json`.
#[derive(Debug, Deserialize)]
struct Provenance {
    commit: String,
    #[serde(default)]
    authors: Option<BTreeSet<String>>,
}

/// Whose change `release` is, ordered by `actor`.
pub(crate) async fn of(
    desk: &Desk,
    actor: &Actor,
    service: &ServiceName,
    release: &ReleaseId,
) -> Result<Change, No> {
    let entries = desk.journal().replay().await;
    let entries = entries.map_err(|error| No::Broken(error.into()))?;
    let mut accounts: BTreeSet<String> = person(actor).into_iter().collect();
    accounts.extend(maker(&entries, release));
    Ok(Change {
        accounts,
        addresses: addresses(desk, service, release).await?,
    })
}

async fn addresses(
    desk: &Desk,
    service: &ServiceName,
    release: &ReleaseId,
) -> Result<Option<BTreeSet<String>>, No> {
    let releases = desk.state().releases();
    let new = provenance(&releases, release);
    let Some((new, mut all)) = new.and_then(|new| new.authors.clone().map(|a| (new, a))) else {
        return Ok(None);
    };
    let live = match desk.live_release(service).await {
        Ok(live) => Some(live),
        // Whoever cannot find out whose change it is lets nobody approve it.
        Err(No::Broken(error)) => return Err(No::Broken(error)),
        Err(No::Refused(_) | No::Unusable(_)) => None,
    };
    // What is live may be no commit of this repository, or none at all; then what the release
    // says of itself is all there is.
    if let Some(live) = live
        && let Some(old) = provenance(&releases, &live)
        && let Some(between) =
            slipway_pipeline::authors_between(desk.project(), &old.commit, &new.commit).await
    {
        all.extend(between);
    }
    Ok(Some(all))
}

fn provenance(releases: &Path, release: &ReleaseId) -> Option<Provenance> {
    let path = releases.join(release.as_str()).join("provenance.json");
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// Who ran the pipeline that made it.
fn maker(entries: &[Entry], release: &ReleaseId) -> Option<String> {
    let made = entries.iter().rev().find(|entry| {
        matches!(&entry.event, Event::Pipeline(PipelineEvent::ReleaseMade { release: made, .. }) if made == release)
    });
    person(&made?.actor)
}

/// The account of a person.
pub(crate) fn person(actor: &Actor) -> Option<String> {
    match actor {
        Actor::Person(name) => Some(name.clone()),
        Actor::System(_) => None,
    }
}
