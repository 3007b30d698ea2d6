//! A service's week and the free times of one day, to choose from.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Deserialize;

use crate::address::Path;
use crate::app::App;
use crate::crew::Who;
use crate::desk::{Booking, Offer};
use crate::error::{Fault, FieldProblem};
use crate::language::{Language, Wanted};
use crate::openings::Nearest;
use crate::pages::week::{self, PartOfDay, TimeChoice, Week};
use crate::pages::whom::{self, Whom};
use crate::pages::{BusinessWords, ServiceWords, Site, render, words};
use crate::quota::Moved;
use crate::security::Visit;

/// How many of the next free times are shown besides the chosen day's.
pub(super) const SOONEST_MAX: usize = 3;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Chosen {
    #[serde(default)]
    day: Option<String>,
    /// Who was chosen.
    #[serde(default)]
    staff: String,
    /// What is held already.
    #[serde(default)]
    hold: Option<String>,
}

/// A time that is held already, in words.
pub(super) struct HeldWords {
    /// "Wednesday 24 March 2027, 09:30"
    pub(super) time: String,
    /// "14:35"
    pub(super) until: String,
}

/// What the page shows besides the times.
#[derive(Debug)]
pub(crate) struct Shown {
    day: Option<Date>,
    who: Who,
    hold: Option<String>,
    problems: Vec<FieldProblem>,
    /// The time that is gone, and the nearest ones that are not.
    gone: Option<(Timestamp, Nearest)>,
    /// The booking that is moved, where one is.
    moving: Option<Moving>,
}

/// A booking that is moved to another time.
#[derive(Debug)]
struct Moving {
    token: String,
    version: i32,
    moved: Moved,
}

/// The same in words.
pub(super) struct MovingWords {
    pub(super) token: String,
    pub(super) version: i32,
    /// "Wednesday 24 March 2027, 09:30"
    pub(super) time: String,
}

impl Moving {
    fn in_words(self, language: Language, zone: &TimeZone) -> MovingWords {
        MovingWords {
            token: self.token,
            version: self.version,
            time: full_name(language, self.moved.start, zone),
        }
    }
}

impl Chosen {
    /// A day that cannot be read is a day that was not chosen.
    pub(super) fn day(&self) -> Option<Date> {
        self.day.as_deref().and_then(|day| day.parse().ok())
    }
}

impl Shown {
    pub(super) fn of(who: Who) -> Self {
        Self {
            day: None,
            who,
            hold: None,
            problems: Vec::new(),
            gone: None,
            moving: None,
        }
    }

    pub(super) fn moving(token: &str, booking: &Booking) -> Self {
        Self {
            moving: Some(Moving {
                token: token.to_owned(),
                version: booking.version,
                moved: booking.moved(),
            }),
            ..Self::of(booking.who)
        }
    }

    pub(super) fn on(self, day: Date) -> Self {
        Self {
            day: Some(day),
            ..self
        }
    }

    pub(super) fn with(self, problems: Vec<FieldProblem>) -> Self {
        Self { problems, ..self }
    }

    pub(super) fn without(self, start: Timestamp, nearest: Nearest) -> Self {
        Self {
            gone: Some((start, nearest)),
            ..self
        }
    }
}

/// A day up to which nothing is free and from which on nobody has looked.
pub(super) struct Further {
    pub(super) date: Date,
    /// "Wednesday 24 March 2027"
    pub(super) name: String,
}

impl Further {
    pub(super) fn of(language: Language, date: Option<Date>) -> Option<Self> {
        date.map(|date| Self {
            date,
            name: words::day_name(language, date),
        })
    }
}

/// A time that was chosen and cannot be had.
pub(super) struct Gone {
    /// "Wednesday 24 March 2027, 09:30"
    pub(super) time: String,
    /// Because as many have booked that day, or that week, as may.
    pub(super) day_is_full: bool,
}

#[derive(Template)]
#[template(path = "times.html")]
pub(super) struct TimesPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    /// Where the days lead to.
    pub(super) path: String,
    /// Where the chosen time is sent.
    pub(super) action: String,
    /// What is moved, where nothing new is booked.
    pub(super) moving: Option<MovingWords>,
    /// The secret address of what is held already; empty where nothing is.
    pub(super) hold: String,
    /// What is held already, in words.
    pub(super) held: Option<HeldWords>,
    /// The time that was chosen and is gone.
    pub(super) gone: Option<Gone>,
    pub(super) business: BusinessWords,
    pub(super) service: ServiceWords,
    pub(super) staff: Whom,
    pub(super) week: Week,
    pub(super) day_name: String,
    /// "on Wednesday 24 March 2027"
    pub(super) day_on: String,
    pub(super) parts: Vec<PartOfDay>,
    pub(super) soonest: Vec<TimeChoice>,
    /// Where to go on looking.
    pub(super) further: Option<Further>,
    pub(super) problems: Vec<FieldProblem>,
}

/// Answers `GET /{business}/{service}`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path((business, service)): Path<(String, String)>,
    query: Result<Query<Chosen>, QueryRejection>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let Query(chosen) = query?;
    let offer = Offer::find(&app, &business, &service).await?;
    let site = Site::of(&app, wanted.at(offer.business.language));
    let shown = Shown {
        day: chosen.day(),
        hold: chosen.hold,
        ..Shown::of(whom::read(&chosen.staff))
    };
    page(&app, site, &offer, &visit, shown).await
}

/// The page of `day`, or of the first day with a free time, with what is wrong.
pub(crate) async fn page(
    app: &App,
    site: Site<'_>,
    offer: &Offer,
    visit: &Visit,
    shown: Shown,
) -> Result<Response, Fault> {
    let (zone, language) = (&offer.business.zone, site.language);
    let moved = shown.moving.as_ref().map(|moving| moving.moved);
    let openings = app
        .openings_or_anyone(offer, shown.who)
        .await?
        .moving(moved);
    let (today, last) = (openings.today, openings.last);
    let next = openings.soonest(SOONEST_MAX, shown.day).await?;
    let first_free = next
        .free
        .first()
        .map(|free| free.start.to_zoned_datetime(zone.clone()).date());
    let held = match &shown.moving {
        Some(_) => None,
        None => held(app, language, offer, visit, shown.hold.as_deref()).await?,
    };
    let chosen = shown.day.or(first_free).unwrap_or(today).clamp(today, last);
    let monday = week::monday_of(chosen);
    let sunday = monday.saturating_add(6.days());
    let days = openings.days(monday, sunday).await?;
    // The page shows the chosen day's times anyway.
    let elsewhere = first_free.is_some_and(|first| first != chosen);
    let status = match (&shown.gone, shown.problems.is_empty()) {
        (Some(_), _) => StatusCode::CONFLICT,
        (None, false) => StatusCode::UNPROCESSABLE_ENTITY,
        (None, true) => StatusCode::OK,
    };
    let near = match &shown.gone {
        Some((_, nearest)) => week::choices(language, nearest.free.iter(), zone),
        None if elsewhere => week::choices(language, next.free.iter(), zone),
        None => Vec::new(),
    };
    let gone = shown.gone.map(|(start, nearest)| Gone {
        time: full_name(language, start, zone),
        day_is_full: nearest.day_is_full,
    });
    let (hold, held) = held.unzip();
    let moving = shown.moving.map(|moving| moving.in_words(language, zone));
    let (path, action) = addresses(offer, moving.as_ref());
    let staff = if moving.is_some() {
        Whom::settled(openings.who)
    } else {
        let address = format!("{path}?day={chosen}");
        Whom::of(language, &address, &openings.everybody, openings.who)
    };
    let mut response = render(&TimesPage {
        csrf: visit.form_token(),
        path,
        action,
        moving,
        hold: hold.unwrap_or_default(),
        held,
        gone,
        business: BusinessWords::of(language, &offer.business),
        service: ServiceWords::of(language, &offer.service),
        staff,
        week: week::week(language, &days, chosen, &(today..=last), zone),
        day_name: words::day_name(language, chosen),
        day_on: words::day_on(language, chosen),
        parts: week::parts(language, &days.free, chosen, zone),
        further: Further::of(language, next.further),
        soonest: near,
        problems: shown.problems,
        site,
    })?;
    visit.remember(&mut response);
    *response.status_mut() = status;
    Ok(response)
}

/// Where the days lead to, and where the chosen time is sent.
fn addresses(offer: &Offer, moving: Option<&MovingWords>) -> (String, String) {
    match moving {
        Some(moving) => {
            let path = format!("/b/{}/reschedule", moving.token);
            (path.clone(), path)
        }
        None => (offer.path(), format!("{}/hold", offer.path())),
    }
}

/// What is held already: the secret address, and the time in words.
async fn held(
    app: &App,
    language: Language,
    offer: &Offer,
    visit: &Visit,
    named: Option<&str>,
) -> Result<Option<(String, HeldWords)>, Fault> {
    let zone = &offer.business.zone;
    let words = |start, until: Timestamp| HeldWords {
        time: full_name(language, start, zone),
        until: words::clock(&until.to_zoned_datetime(zone.clone())),
    };
    if visit.is_known()
        && let Some(held) = app.held_by(offer, &visit.holder()).await?
    {
        let words = words(held.start, held.until);
        return Ok(Some((held.token, words)));
    }
    // Whoever keeps no cookies brings the address along.
    let Some(token) = named else {
        return Ok(None);
    };
    let held = match app.booking(token).await {
        Ok(held) => held,
        Err(Fault::NotFound) => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let until = held.held_until(app.clock.now());
    Ok(until.map(|until| (token.to_owned(), words(held.start, until))))
}

fn full_name(language: Language, start: Timestamp, zone: &TimeZone) -> String {
    words::day_and_clock(language, &start.to_zoned_datetime(zone.clone()))
}
