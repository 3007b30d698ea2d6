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
    accounts.extend(makers(&entries, release));
    let (addresses, is_whole) = addresses(desk, service, release).await?;
    Ok(Change {
        accounts,
        addresses,
        is_whole,
    })
}

/// Who wrote it, and whether that is all of them.
async fn addresses(
    desk: &Desk,
    service: &ServiceName,
    release: &ReleaseId,
) -> Result<(Option<BTreeSet<String>>, bool), No> {
    let releases = desk.state().releases();
    let new = provenance(&releases, release);
    let Some((new, mut all)) = new.and_then(|new| new.authors.clone().map(|a| (new, a))) else {
        return Ok((None, false));
    };
    let live = match desk.live_release(service).await {
        Ok(live) => Some(live),
        // Whoever cannot find out whose change it is lets nobody approve it.
        Err(No::Broken(error)) => return Err(No::Broken(error)),
        Err(No::Refused(_) | No::Unusable(_)) => None,
    };
    // Where nothing is live, what the release says of itself is all there is.
    let Some(live) = live else {
        return Ok((Some(all), true));
    };
    // What is live may be no commit of this repository: then nobody knows what lies between.
    let between = match provenance(&releases, &live) {
        Some(old) => {
            slipway_pipeline::authors_between(desk.project(), &old.commit, &new.commit).await
        }
        None => None,
    };
    let is_whole = between.is_some();
    all.extend(between.into_iter().flatten());
    Ok((Some(all), is_whole))
}

fn provenance(releases: &Path, release: &ReleaseId) -> Option<Provenance> {
    let path = releases.join(release.as_str()).join("provenance.json");
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// Everybody who ran the pipeline that made it: whoever makes it once more takes it from nobody.
fn makers(entries: &[Entry], release: &ReleaseId) -> impl Iterator<Item = String> {
    let made = entries.iter().filter(move |entry| {
        matches!(&entry.event, Event::Pipeline(PipelineEvent::ReleaseMade { release: made, .. }) if made == release)
    });
    made.filter_map(|entry| person(&entry.actor))
}

/// The account of a person.
pub(crate) fn person(actor: &Actor) -> Option<String> {
    match actor {
        Actor::Person(name) => Some(name.clone()),
        Actor::System(_) => None,
    }
}
