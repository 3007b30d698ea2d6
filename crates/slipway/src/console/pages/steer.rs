//! What a person says of a rollout that has a share of the traffic: asked twice, works without
//! scripts.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use slipway_journal::RolloutId;
use slipway_journal::event::rollout::Steering;

use crate::console::Desk;
use crate::console::fault::Fault;
use crate::console::guard::{Browser, Order};
use crate::console::pages::act::{ConfirmPage, answer, helm, reason};
use crate::console::pages::{Section, Site, render};
use crate::reading::share_name;

/// Answers `GET /rollouts/{id}/steer/{order}`.
pub(crate) async fn ask(
    State(desk): State<Arc<Desk>>,
    Path((id, order)): Path<(String, String)>,
    browser: Browser,
) -> Result<Response, Fault> {
    let page = page(&desk, parsed(&id, &order)?, &browser, None)?;
    answer(&page, &browser)
}

/// Answers `POST /rollouts/{id}/steer/{order}`.
pub(crate) async fn say(
    State(desk): State<Arc<Desk>>,
    Path((id, order)): Path<(String, String)>,
    form: Order,
) -> Result<Response, Fault> {
    let (rollout, order) = parsed(&id, &order)?;
    let said = helm(&desk)?.steer(
        form.actor.clone(),
        rollout,
        (order, form.share),
        reason(&form),
    );
    match said.await? {
        Ok(()) => Ok(Redirect::to(&format!("/rollouts/{rollout}")).into_response()),
        Err(refusal) => {
            let page = page(&desk, (rollout, order), &form.browser, Some(refusal))?;
            Ok((StatusCode::CONFLICT, render(&page)?).into_response())
        }
    }
}

fn parsed(id: &str, order: &str) -> Result<(RolloutId, Steering), Fault> {
    let rollout = id.parse().map_err(|_| Fault::NotFound)?;
    let order = match order {
        "hold" => Steering::Hold,
        "resume" => Steering::Resume,
        "advance" => Steering::Advance,
        _ => return Err(Fault::NotFound),
    };
    Ok((rollout, order))
}

fn page(
    desk: &Desk,
    (rollout, order): (RolloutId, Steering),
    browser: &Browser,
    refusal: Option<String>,
) -> Result<ConfirmPage, Fault> {
    helm(desk)?;
    let picture = desk.live.picture();
    let known = picture.reading.rollout(rollout).ok_or(Fault::NotFound)?;
    let (service, release) = (&known.service, known.release.short());
    let (title, button) = match order {
        Steering::Hold => (format!("Hold {service} where it is?"), "Hold the share"),
        Steering::Resume => (format!("Let {service} go on?"), "Let the judge decide"),
        Steering::Advance => (format!("Give {service} its next share?"), "Advance now"),
    };
    let (words, button) = match known.share() {
        None => {
            let words = "This rollout has no share of the traffic that anything could be said of.";
            (vec![words.to_owned()], None)
        }
        Some(share) => {
            let now = format!(
                "Release {release} has {} of the visitors now.",
                share_name(share)
            );
            (vec![now, consequence(order).to_owned()], Some(button))
        }
    };
    Ok(ConfirmPage {
        site: Site::of(desk, Section::History),
        token: browser.token().to_owned(),
        title,
        words,
        refusal,
        button,
        share: known.share(),
        is_signed_in: browser.person().is_some(),
        back: format!("/rollouts/{rollout}"),
    })
}

/// What would happen.
fn consequence(order: Steering) -> &'static str {
    match order {
        Steering::Hold => {
            "It keeps that share, also when the judge says that more is all right. What \
             misbehaves is taken back all the same."
        }
        Steering::Resume => "The judge decides again when it gets more.",
        Steering::Advance => {
            "It gets the next share at once, whatever the judge lacks; the old release stays \
             warm for twice as long at the end."
        }
    }
}
