//! What a person changes from the console: a page that says what would happen, and the
//! order itself. Both work without scripts.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use slipway_journal::{RolloutId, ServiceName};

use crate::console::Desk;
use crate::console::fault::Fault;
use crate::console::guard::{Browser, Order};
use crate::console::helm::{Helm, Plan};
use crate::console::pages::{Section, Site, render};
use crate::console::view::overview::services;
use crate::console::view::service::live_release;
use crate::console::words::capital;

#[derive(Template)]
#[template(path = "confirm.html")]
pub(crate) struct ConfirmPage {
    pub(crate) site: Site,
    pub(crate) token: String,
    pub(crate) title: String,
    /// What would happen, a paragraph each.
    pub(crate) words: Vec<String>,
    /// Why it was not done, after it was tried.
    pub(crate) refusal: Option<String>,
    /// What the button says; nothing where nothing can be done.
    pub(crate) button: Option<&'static str>,
    /// The share of the traffic that this is about.
    pub(crate) share: Option<u16>,
    /// Whether somebody is signed in, who alone can do it.
    pub(crate) is_signed_in: bool,
    pub(crate) back: String,
}

/// Answers `GET /services/{service}/rollback`.
pub(crate) async fn ask_rollback(
    State(desk): State<Arc<Desk>>,
    Path(service): Path<String>,
    browser: Browser,
) -> Result<Response, Fault> {
    let service = known(&desk, &service)?;
    let page = rollback_page(&desk, &service, &browser, None).await?;
    answer(&page, &browser)
}

/// Answers `POST /services/{service}/rollback`.
pub(crate) async fn roll_back(
    State(desk): State<Arc<Desk>>,
    Path(service): Path<String>,
    order: Order,
) -> Result<Response, Fault> {
    let service = known(&desk, &service)?;
    let reason = reason(&order);
    let done = helm(&desk)?
        .rollback(order.actor.clone(), &service, reason)
        .await?;
    match done {
        Ok(rollout) => Ok(Redirect::to(&format!("/rollouts/{rollout}")).into_response()),
        Err(refusal) => {
            let page = rollback_page(&desk, &service, &order.browser, Some(refusal)).await?;
            Ok((StatusCode::CONFLICT, render(&page)?).into_response())
        }
    }
}

/// Answers `GET /rollouts/{id}/cancel`.
pub(crate) async fn ask_cancel(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    browser: Browser,
) -> Result<Response, Fault> {
    let page = cancel_page(&desk, &id, &browser, None)?;
    answer(&page, &browser)
}

/// Answers `POST /rollouts/{id}/cancel`.
pub(crate) async fn cancel(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    order: Order,
) -> Result<Response, Fault> {
    let rollout: RolloutId = id.parse().map_err(|_| Fault::NotFound)?;
    let reason = reason(&order);
    match helm(&desk)?
        .cancel(order.actor.clone(), rollout, reason)
        .await?
    {
        Ok(()) => Ok(Redirect::to(&format!("/rollouts/{rollout}")).into_response()),
        Err(refusal) => {
            let page = cancel_page(&desk, &id, &order.browser, Some(refusal))?;
            Ok((StatusCode::CONFLICT, render(&page)?).into_response())
        }
    }
}

async fn rollback_page(
    desk: &Desk,
    service: &ServiceName,
    browser: &Browser,
    refusal: Option<String>,
) -> Result<ConfirmPage, Fault> {
    let plan = helm(desk)?.rollback_plan(service).await;
    let live = live_release(&desk.live.picture().reading, service);
    let mut words = Vec::new();
    if let Some((release, _)) = live {
        words.push(format!(
            "Release {} serves every visitor of {service} now.",
            release.short()
        ));
    }
    let button = match plan {
        Plan::Warm { words: plan } => {
            words.push(sentence(&plan));
            Some("Roll back now")
        }
        Plan::Slow { words: plan } => {
            words.push(sentence(&plan));
            Some("Start the old release and roll back")
        }
        Plan::Impossible { why } => {
            words.push(sentence(&why));
            None
        }
    };
    Ok(ConfirmPage {
        site: Site::of(desk, Section::Elsewhere),
        token: browser.token().to_owned(),
        title: format!("Roll {service} back?"),
        words,
        refusal,
        button,
        share: None,
        is_signed_in: browser.person().is_some(),
        back: "/".to_owned(),
    })
}

fn cancel_page(
    desk: &Desk,
    id: &str,
    browser: &Browser,
    refusal: Option<String>,
) -> Result<ConfirmPage, Fault> {
    let rollout: RolloutId = id.parse().map_err(|_| Fault::NotFound)?;
    helm(desk)?;
    let picture = desk.live.picture();
    let known = picture.reading.rollout(rollout).ok_or(Fault::NotFound)?;
    let (words, button) = if known.state.is_end() {
        (
            "This rollout is over; nothing is left to cancel.".to_owned(),
            None,
        )
    } else {
        let words = format!(
            "Release {} is stopped before visitors see it. What is live now stays live.",
            known.release.short()
        );
        (words, Some("Cancel the rollout"))
    };
    Ok(ConfirmPage {
        site: Site::of(desk, Section::History),
        token: browser.token().to_owned(),
        title: format!("Cancel the rollout of {}?", known.service),
        words: vec![words],
        refusal,
        button,
        share: None,
        is_signed_in: browser.person().is_some(),
        back: format!("/rollouts/{rollout}"),
    })
}

pub(crate) fn answer(page: &ConfirmPage, browser: &Browser) -> Result<Response, Fault> {
    let mut response = render(page)?;
    browser.remember(&mut response);
    Ok(response)
}

fn known(desk: &Desk, service: &str) -> Result<ServiceName, Fault> {
    let known = services(&desk.ground.services, &desk.live.picture().reading);
    known
        .into_iter()
        .find(|s| s.as_str() == service)
        .ok_or(Fault::NotFound)
}

pub(crate) fn helm(desk: &Desk) -> Result<&dyn Helm, Fault> {
    desk.ground.helm.as_deref().ok_or(Fault::NoEngine)
}

pub(crate) fn reason(order: &Order) -> String {
    order
        .reason
        .clone()
        .unwrap_or_else(|| "asked for at the console".to_owned())
}

fn sentence(words: &str) -> String {
    let text = capital(words.trim());
    if text.ends_with(['.', '!', '?']) {
        text
    } else {
        format!("{text}.")
    }
}
