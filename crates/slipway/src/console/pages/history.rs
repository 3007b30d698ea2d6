//! The history: rollouts and releases, newest first.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::console::Desk;
use crate::console::fault::Fault;
use crate::console::pages::{Section, Site, render};
use crate::console::view::history::{PAGE, ReleaseLine, RolloutLine, Wanted, releases, rollouts};

#[derive(Template)]
#[template(path = "history.html")]
struct HistoryPage {
    site: Site,
    rollouts: Vec<RolloutLine>,
    releases: Vec<ReleaseLine>,
    newer: Option<usize>,
    older: Option<usize>,
    /// What is looked for.
    search: String,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct From {
    #[serde(default)]
    skip: usize,
    /// Words that must all be there.
    #[serde(default)]
    q: String,
}

/// Answers `/rollouts`.
pub(crate) async fn get(
    State(desk): State<Arc<Desk>>,
    Query(from): Query<From>,
) -> Result<Response, Fault> {
    let page = {
        let face = desk.face();
        let picture = desk.live.picture();
        let wanted = Wanted::of(&from.q);
        let (lines, more) = rollouts(&picture, &wanted, from.skip, &face);
        HistoryPage {
            site: Site::of(&desk, Section::History),
            rollouts: lines,
            releases: releases(&picture, &wanted, &face),
            newer: (from.skip > 0).then(|| from.skip.saturating_sub(PAGE)),
            older: more.then(|| from.skip.saturating_add(PAGE)),
            search: from.q.clone(),
        }
    };
    render(&page)
}
