//! Choosing a time holds it: from the times to the form that makes the booking. The hold
//! has a secret address of its own, which is the booking's later on.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use serde::Deserialize;

use crate::account::network::Network;
use crate::address::Path;
use crate::app::App;
use crate::appointments::Choice;
use crate::desk::holds::Chosen;
use crate::desk::{Booked, Booking, Offer};
use crate::error::{Fault, FieldProblem};
use crate::intake::{self, Problem, Sent};
use crate::language::Wanted;
use crate::limit::BOOKINGS;
use crate::origin::Origin;
use crate::pages::details::{self, DetailsForm, FormWords, HeldWords, Sending};
use crate::pages::{Site, times, whom, words};
use crate::security::{Visit, VisitorForm};
use crate::store::hold::Holder;

/// The time that was chosen.
#[derive(Debug, Deserialize)]
pub(crate) struct TimeForm {
    #[serde(default)]
    start: String,
    /// Who was chosen.
    #[serde(default)]
    staff: String,
    /// The secret address of what is held already.
    #[serde(default)]
    hold: String,
}

/// Answers `GET /{business}/{service}/hold`, where only a form leads: the way back.
pub(crate) async fn back(
    Path((business, service)): Path<(String, String)>,
    State(app): State<Arc<App>>,
) -> Result<Response, Fault> {
    let offer = Offer::find(&app, &business, &service).await?;
    Ok(Redirect::to(&offer.path()).into_response())
}

/// Answers `POST /{business}/{service}/hold`.
pub(crate) async fn choose(
    State(app): State<Arc<App>>,
    Path((business, service)): Path<(String, String)>,
    (Origin(origin), network): (Origin, Network),
    wanted: Wanted,
    form: VisitorForm<TimeForm>,
) -> Result<Response, Fault> {
    let (form, visit) = form.open();
    let offer = Offer::find(&app, &business, &service).await?;
    let site = Site::of(&app, wanted.at(offer.business.language));
    let who = whom::read(&form.staff);
    let shown = times::Shown::of(who);
    let start = match intake::start(&form.start) {
        Ok(start) => start,
        Err(problem) => {
            let wrong = shown.with(vec![problem.in_words(site.language)]);
            return times::page(&app, site, &offer, &visit, wrong).await;
        }
    };
    app.within_network(BOOKINGS, &network).await?;
    let choice = Choice {
        start,
        who,
        holder: Holder {
            visit: Some(visit.holder()),
            origin,
        },
        instead_of: Some(form.hold.as_str()).filter(|hold| !hold.is_empty()),
        key: None,
    };
    match app.hold(&offer, choice).await? {
        Chosen::Held(token) => Ok(Redirect::to(&format!("/b/{token}/details")).into_response()),
        // Nobody is kept from booking; only the time is not kept meanwhile.
        Chosen::TooMany | Chosen::KeyReused => {
            let with = whom::with(who);
            let address = format!("{}/details?start={start}{with}", offer.path());
            Ok(Redirect::to(&address).into_response())
        }
        Chosen::Gone(nearest) => {
            let shown = shown.on(offer.day(start)).without(start, nearest);
            times::page(&app, site, &offer, &visit, shown).await
        }
    }
}

/// Answers `GET /b/{token}/details`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let held = app.booking(&token).await?;
    if !held.is_open() {
        return Ok(Redirect::to(&format!("/b/{token}")).into_response());
    }
    let site = Site::of(&app, wanted.about(&held));
    page(
        &app,
        site,
        (&token, &held),
        &visit,
        Sent::default(),
        Vec::new(),
    )
    .await
}

/// Answers `POST /b/{token}/details`. Sent twice, it is one booking.
pub(crate) async fn confirm(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    wanted: Wanted,
    form: VisitorForm<DetailsForm>,
) -> Result<Response, Fault> {
    let (form, visit) = form.open();
    let held = app.booking(&token).await?;
    let site = Site::of(&app, wanted.about(&held));
    let sent = Sent {
        start: held.start.to_string(),
        staff: whom::id(held.who),
        ..form.into_sent()
    };
    let checked = match intake::check(&sent) {
        Ok(checked) => checked,
        Err(problems) => {
            let problems = Problem::all_in_words(problems, site.language);
            let page = page(&app, site, (&token, &held), &visit, sent, problems).await?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    match app
        .confirm(&token, &checked, Some(site.language), None)
        .await?
    {
        Booked::Made(made) => Ok(Redirect::to(&format!("/b/{}", made.token)).into_response()),
        Booked::Gone(nearest) => {
            // Another time is another request, and books at once.
            let offer = app.offer_of(&token).await?;
            let form = FormWords::of(sent, app.random.token(), Vec::new());
            let chosen = (held.start, held.chosen_staff());
            let page = details::page(site, &offer, &visit, chosen, form, Some(&nearest))?;
            Ok((StatusCode::CONFLICT, page).into_response())
        }
        Booked::KeyReused => Err(Fault::KeyReused),
    }
}

/// Answers `POST /b/{token}/extend`, a button of the same form: what was typed stays.
pub(crate) async fn extend(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    wanted: Wanted,
    form: VisitorForm<DetailsForm>,
) -> Result<Response, Fault> {
    let (form, visit) = form.open();
    let held = app.booking(&token).await?;
    if held.held_until(app.clock.now()).is_some() {
        app.extend(&token).await?;
    }
    let held = app.booking(&token).await?;
    if !held.is_open() {
        return Ok(Redirect::to(&format!("/b/{token}")).into_response());
    }
    let site = Site::of(&app, wanted.about(&held));
    page(
        &app,
        site,
        (&token, &held),
        &visit,
        form.into_sent(),
        Vec::new(),
    )
    .await
}

async fn page(
    app: &App,
    site: Site<'_>,
    (token, held): (&str, &Booking),
    visit: &Visit,
    sent: Sent,
    problems: Vec<FieldProblem>,
) -> Result<Response, Fault> {
    let offer = Offer::find(app, &held.business_slug, &held.service_slug).await?;
    let sent = Sent {
        start: held.start.to_string(),
        staff: whom::id(held.who),
        ..sent
    };
    let now = app.clock.now();
    let until = held.held_until(now);
    let clock = |at: jiff::Timestamp| words::clock(&at.to_zoned_datetime(held.zone.clone()));
    let words = HeldWords {
        until: until.map(clock),
        seconds: until.map_or(0, |until| until.duration_since(now).as_secs()),
        extend: until
            .filter(|_| !held.hold_extended)
            .map(|_| format!("/b/{token}/extend")),
    };
    let sending = Sending {
        action: format!("/b/{token}/details"),
        held: Some((token.to_owned(), words)),
    };
    let form = FormWords::of(sent, String::new(), problems);
    let chosen = (held.start, held.chosen_staff());
    details::sent_to(site, &offer, visit, sending, (chosen, form), None)
}
