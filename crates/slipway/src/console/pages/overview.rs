//! The overview: how every service of the environment is doing now.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use futures_util::future::join_all;
use slipway_journal::Seq;

use crate::console::Desk;
use crate::console::fault::Fault;
use crate::console::helm::Plan;
use crate::console::pages::{Refresh, Region, Section, Site, render};
use crate::console::view::overview::{SummaryWords, services, summary_words};
use crate::console::view::service::{ServiceWords, service_words};

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    site: Site,
    summary: SummaryWords,
    services: Vec<ServiceWords>,
    announcement: String,
}

#[derive(Template)]
#[template(path = "_summary.html")]
struct SummaryPart<'a> {
    summary: &'a SummaryWords,
}

#[derive(Template)]
#[template(path = "_service.html")]
struct ServicePart<'a> {
    service: &'a ServiceWords,
}

#[derive(Template)]
#[template(path = "_announcement.html")]
struct AnnouncementPart<'a> {
    announcement: &'a str,
}

struct Seen {
    seq: Seq,
    summary: SummaryWords,
    services: Vec<ServiceWords>,
}

impl Seen {
    /// What a screen reader is told when it changes: states, never figures.
    fn announcement(&self) -> String {
        let states = self
            .services
            .iter()
            .map(|s| format!("{}: {}.", s.name, s.badge));
        states.collect::<Vec<_>>().join(" ")
    }
}

/// Answers `/`.
pub(crate) async fn get(
    State(desk): State<Arc<Desk>>,
    Query(refresh): Query<Refresh>,
) -> Result<Response, Fault> {
    let seen = look(&desk).await;
    render(&OverviewPage {
        site: Site::of(&desk, Section::Overview).live("/events".to_owned(), &refresh),
        announcement: seen.announcement(),
        summary: seen.summary,
        services: seen.services,
    })
}

/// The regions of the overview, as of now.
pub(crate) async fn regions(desk: &Desk) -> Result<(Seq, Vec<Region>), Fault> {
    let seen = look(desk).await;
    let announcement = seen.announcement();
    let mut regions = vec![
        Region::render(
            "summary",
            &SummaryPart {
                summary: &seen.summary,
            },
        )?,
        Region::render(
            "announcement",
            &AnnouncementPart {
                announcement: &announcement,
            },
        )?,
    ];
    for service in &seen.services {
        let name = format!("service-{}", service.name);
        regions.push(Region::render(name, &ServicePart { service })?);
    }
    Ok((seen.seq, regions))
}

async fn look(desk: &Desk) -> Seen {
    let names = services(&desk.ground.services, &desk.live.picture().reading);
    let plans: Vec<Option<Plan>> = match &desk.ground.helm {
        Some(helm) => {
            let plans = names.iter().map(|s| helm.rollback_plan(s));
            join_all(plans).await.into_iter().map(Some).collect()
        }
        None => names.iter().map(|_| None).collect(),
    };
    let closed = desk.ground.helm.as_ref().and_then(|helm| helm.closed());
    let face = desk.face();
    let picture = desk.live.picture();
    let services: Vec<ServiceWords> = names
        .iter()
        .zip(&plans)
        .map(|(service, plan)| {
            service_words(&picture, service, plan.as_ref(), closed.as_deref(), &face)
        })
        .collect();
    Seen {
        seq: picture.reading.seq,
        summary: summary_words(&picture, &services),
        services,
    }
}
