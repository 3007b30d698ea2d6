//! One rollout: where it stands, why, and what happened when.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use slipway_journal::{RolloutId, Seq};

use crate::console::Desk;
use crate::console::fault::Fault;
use crate::console::pages::{Refresh, Region, Section, Site, render};
use crate::console::view::rollout::{RolloutWords, rollout_words};

#[derive(Template)]
#[template(path = "rollout.html")]
struct RolloutPage {
    site: Site,
    rollout: RolloutWords,
    announcement: String,
}

#[derive(Template)]
#[template(path = "_rollout.html")]
struct RolloutPart<'a> {
    rollout: &'a RolloutWords,
}

#[derive(Template)]
#[template(path = "_announcement.html")]
struct AnnouncementPart<'a> {
    announcement: &'a str,
}

/// Answers `/rollouts/{id}`.
pub(crate) async fn get(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    Query(refresh): Query<Refresh>,
) -> Result<Response, Fault> {
    let id: RolloutId = id.parse().map_err(|_| Fault::NotFound)?;
    let (_, rollout) = look(&desk, id)?;
    let events = format!("/events?rollout={id}");
    render(&RolloutPage {
        site: Site::of(&desk, Section::History).live(events, &refresh),
        announcement: announcement(&rollout),
        rollout,
    })
}

/// The regions of the page of rollout `id`, as of now.
pub(crate) fn regions(desk: &Desk, id: RolloutId) -> Result<(Seq, Vec<Region>), Fault> {
    let (seq, rollout) = look(desk, id)?;
    let announcement = announcement(&rollout);
    let regions = vec![
        Region::render(
            "announcement",
            &AnnouncementPart {
                announcement: &announcement,
            },
        )?,
        Region::render("rollout", &RolloutPart { rollout: &rollout })?,
    ];
    Ok((seq, regions))
}

fn look(desk: &Desk, id: RolloutId) -> Result<(Seq, RolloutWords), Fault> {
    let face = desk.face();
    let picture = desk.live.picture();
    let rollout = picture.reading.rollout(id).ok_or(Fault::NotFound)?;
    let helm = desk.ground.helm.as_deref();
    Ok((
        picture.reading.seq,
        rollout_words(&picture, rollout, helm, &face),
    ))
}

fn announcement(rollout: &RolloutWords) -> String {
    match &rollout.reason {
        Some(reason) => format!("{}: {}. {reason}", rollout.service, rollout.state),
        None => format!("{}: {}.", rollout.service, rollout.state),
    }
}
