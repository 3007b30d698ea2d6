//! Repeating a booking: how often, then every time with whether it can be had, then those that
//! were chosen are booked. The same steps for the customer and for the desk.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use booking::{End, Every, Repeat};
use http::StatusCode;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::address::Path;
use crate::app::App;
use crate::appointments::{By, Planned, SeriesAnswer, SeriesWish, Source, Whose};
use crate::crew::Who;
use crate::desk::Offer;
use crate::error::{Fault, FieldProblem};
use crate::intake::{self, Problem};
use crate::language::{Language, Text, Wanted, message};
use crate::pages::{Site, render, words};
use crate::security::{Visit, VisitorForm};

/// So often can a booking be repeated at once.
pub(super) const TIMES_MAX: i32 = 26;
/// Before the place of a visit, in the name of the field that says when it is.
const VISIT: &str = "visit-";
/// A key that a page made is as long as this at most.
const REQUEST_CHARS_MAX: usize = 64;

/// How it repeats, as it is shown and sent.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct RepeatForm {
    /// `week`, `fortnight` or `month`.
    #[serde(default)]
    pub(crate) every: String,
    /// How many more times.
    #[serde(default)]
    pub(crate) count: String,
}

/// The same with what was chosen for each visit.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ChosenForm {
    /// Made with the page; the same form sent twice books once.
    #[serde(default)]
    pub(crate) request: String,
    #[serde(flatten)]
    pub(crate) repeat: RepeatForm,
    #[serde(flatten)]
    chosen: BTreeMap<String, String>,
}

/// How often, to choose.
pub(crate) struct EveryWords {
    pub(crate) name: &'static str,
    pub(crate) words: String,
    pub(crate) is_chosen: bool,
}

/// A time for a visit, or none.
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) name: String,
    pub(crate) is_chosen: bool,
}

/// One visit of a series before it is booked.
pub(crate) struct VisitWords {
    pub(crate) field: String,
    pub(crate) time: String,
    pub(crate) is_free: bool,
    pub(crate) choices: Vec<Choice>,
}

/// A visit that was booked, by its address, or that somebody else was faster with.
pub(crate) struct DoneWords {
    pub(crate) time: String,
    pub(crate) address: Option<String>,
}

/// What the page shows: the question, the times, or what was booked.
pub(crate) struct Steps {
    pub(crate) action: String,
    pub(crate) back: String,
    pub(crate) csrf: String,
    pub(crate) request: String,
    /// "Haircut with Karoo Cuts, Wednesday 24 March 2027, 09:30, and again:"
    pub(crate) lede: String,
    pub(crate) every: Vec<EveryWords>,
    pub(crate) form: RepeatForm,
    pub(crate) visits: Vec<VisitWords>,
    pub(crate) done: Vec<DoneWords>,
    pub(crate) problems: Vec<FieldProblem>,
}

impl Steps {
    pub(crate) fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }

    /// How many of the times cannot be had.
    pub(crate) fn taken(&self) -> usize {
        self.visits.iter().filter(|visit| !visit.is_free).count()
    }

    pub(crate) fn booked(&self) -> usize {
        self.done
            .iter()
            .filter(|done| done.address.is_some())
            .count()
    }

    pub(crate) fn gone(&self) -> usize {
        self.done.len() - self.booked()
    }
}

/// Who repeats which booking of what.
pub(crate) struct Repeating<'a> {
    pub(crate) app: &'a App,
    pub(crate) language: Language,
    pub(crate) offer: &'a Offer,
    pub(crate) source: &'a Source,
    pub(crate) by: By,
    pub(crate) csrf: String,
    pub(crate) action: String,
    pub(crate) back: String,
    /// Where a booking is looked at: before its secret address, or its id.
    pub(crate) address: &'a (dyn Fn(&str) -> String + Sync),
}

impl RepeatForm {
    /// Whether anything was asked for yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.every.is_empty() && self.count.is_empty()
    }

    fn check(&self) -> Result<Repeat, Vec<Problem>> {
        let every = Every::parse(&self.every).ok_or_else(|| Problem {
            field: "every",
            detail: message("series-every-missing"),
        });
        let count = intake::number(&self.count, 1..=TIMES_MAX).map_err(|_| Problem {
            field: "count",
            detail: message("series-count-range").with("max", TIMES_MAX),
        });
        match (every, count) {
            // The booking that is repeated is the first of them.
            (Ok(every), Ok(count)) => Ok(Repeat {
                every,
                end: End::Count(usize::try_from(count).unwrap_or(0) + 1),
            }),
            (every, count) => Err(every.err().into_iter().chain(count.err()).collect()),
        }
    }
}

fn every_words(language: Language, every: Every) -> Text {
    match every {
        Every::Week => language.text("series-week"),
        Every::Fortnight => language.text("series-fortnight"),
        Every::Month => language.text("series-month"),
    }
}

impl Repeating<'_> {
    fn zone(&self) -> &TimeZone {
        &self.offer.business.zone
    }

    fn time(&self, at: Timestamp) -> String {
        words::day_and_clock(self.language, &at.to_zoned_datetime(self.zone().clone()))
    }

    fn steps(&self, form: RepeatForm) -> Steps {
        let (business, service) = (&self.offer.business.name, &self.offer.service.name);
        let lede = self
            .language
            .text("series-lede")
            .with("service", service)
            .with("business", business)
            .with("time", self.time(self.source.start));
        let every = Every::ALL.into_iter().map(|every| EveryWords {
            name: every.as_str(),
            words: every_words(self.language, every).to_string(),
            is_chosen: form.every == every.as_str(),
        });
        Steps {
            action: self.action.clone(),
            back: self.back.clone(),
            csrf: self.csrf.clone(),
            request: self.app.random.token(),
            lede: lede.to_string(),
            every: every.collect(),
            form,
            visits: Vec::new(),
            done: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn wrong(&self, steps: Steps, problems: Vec<Problem>) -> (StatusCode, Steps) {
        let problems = Problem::all_in_words(problems, self.language);
        let steps = Steps { problems, ..steps };
        (StatusCode::UNPROCESSABLE_ENTITY, steps)
    }

    /// The question, or the times of what was asked for.
    pub(crate) async fn look(&self, form: RepeatForm) -> Result<(StatusCode, Steps), Fault> {
        let steps = self.steps(form);
        if steps.form.is_empty() {
            return Ok((StatusCode::OK, steps));
        }
        let repeat = match steps.form.check() {
            Ok(repeat) => repeat,
            Err(problems) => return Ok(self.wrong(steps, problems)),
        };
        let visits = self.visits(repeat).await?;
        Ok((StatusCode::OK, Steps { visits, ..steps }))
    }

    async fn visits(&self, repeat: Repeat) -> Result<Vec<VisitWords>, Fault> {
        let who = Who::Only(self.source.staff);
        let appointments = &self.app.appointments;
        let (offered, now) = (self.offer.offered(), self.app.clock.now());
        let planned = appointments.plan_series(offered, who, (self.source.start, repeat), now);
        let planned = planned.await?.into_iter().enumerate().skip(1);
        Ok(planned
            .map(|(n, planned)| self.visit(n, &planned))
            .collect())
    }

    fn visit(&self, n: usize, planned: &Planned) -> VisitWords {
        let choice = |start: &Timestamp| Choice {
            value: start.to_string(),
            name: self.time(*start),
            is_chosen: planned.is_free,
        };
        let own = planned.start.filter(|_| planned.is_free);
        let mut choices: Vec<Choice> = own.iter().chain(&planned.near).map(choice).collect();
        choices.push(Choice {
            value: String::new(),
            name: self.language.text("series-skip").to_string(),
            is_chosen: !planned.is_free,
        });
        // A time that the clocks leave out is named as the wall would have shown it.
        let wall = TimeZone::UTC.to_timestamp(planned.at).ok();
        VisitWords {
            field: format!("{VISIT}{n}"),
            time: wall.map_or_else(String::new, |wall| {
                words::day_and_clock(self.language, &wall.to_zoned_datetime(TimeZone::UTC))
            }),
            is_free: planned.is_free,
            choices,
        }
    }

    /// Books what was chosen.
    pub(crate) async fn book(&self, form: ChosenForm) -> Result<(StatusCode, Steps), Fault> {
        let is_ours = (1..=REQUEST_CHARS_MAX).contains(&form.request.len())
            && form.request.bytes().all(|b| b.is_ascii_alphanumeric());
        if !is_ours {
            return Err(Fault::Malformed("the form cannot be read".to_owned()));
        }
        let starts = starts(&form.chosen);
        let steps = self.steps(form.repeat);
        let repeat = match steps.form.check() {
            Ok(repeat) => repeat,
            Err(problems) => return Ok(self.wrong(steps, problems)),
        };
        if starts.is_empty() {
            let visits = self.visits(repeat).await?;
            let problem = Problem {
                field: "visits",
                detail: message("series-none-chosen"),
            };
            return Ok(self.wrong(Steps { visits, ..steps }, vec![problem]));
        }
        let wish = SeriesWish {
            whose: Whose::Of {
                source: self.source,
                by: self.by,
            },
            who: Who::Only(self.source.staff),
            first: self.source.start,
            repeat,
            starts: &starts,
            key: &form.request,
        };
        let (appointments, now) = (&self.app.appointments, self.app.clock.now());
        let answer = appointments.book_series(self.offer.offered(), &wish, now);
        let SeriesAnswer::Made { visits, .. } = answer.await? else {
            return Err(Fault::KeyReused);
        };
        let done: Vec<DoneWords> = visits
            .iter()
            .map(|(start, booked)| DoneWords {
                time: self.time(*start),
                address: booked.map(|booked| {
                    (self.address)(&match self.by {
                        By::Staff(_) => booked.to_string(),
                        By::Customer | By::Clock => appointments.address_of(booked),
                    })
                }),
            })
            .collect();
        for one in &done {
            match one.address {
                Some(_) => self.app.metrics.bookings.inc(),
                None => self.app.metrics.conflicts.inc(),
            };
        }
        Ok((StatusCode::OK, Steps { done, ..steps }))
    }
}

/// The starts that were chosen, in order, each once.
fn starts(chosen: &BTreeMap<String, String>) -> Vec<Timestamp> {
    let start = |(name, value): (&String, &String)| {
        name.strip_prefix(VISIT)?;
        intake::start(value).ok()
    };
    let mut starts: Vec<Timestamp> = chosen.iter().filter_map(start).collect();
    starts.sort_unstable();
    starts.dedup();
    starts.truncate(booking::SERIES_MAX);
    starts
}

#[derive(Template)]
#[template(path = "repeat.html")]
pub(super) struct RepeatPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) business: String,
    pub(super) steps: Steps,
}

/// Answers `GET /b/{token}/repeat?every=…&count=…`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    query: Result<Query<RepeatForm>, QueryRejection>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let Query(form) = query?;
    answer(&app, &token, wanted, &visit, async |repeating| {
        repeating.look(form).await
    })
    .await
}

/// Answers `POST /b/{token}/repeat`. Sent twice, it books once.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    wanted: Wanted,
    form: VisitorForm<ChosenForm>,
) -> Result<Response, Fault> {
    let (form, visit) = form.open();
    answer(&app, &token, wanted, &visit, async |repeating| {
        repeating.book(form).await
    })
    .await
}

async fn answer(
    app: &App,
    token: &str,
    wanted: Wanted,
    visit: &Visit,
    act: impl AsyncFnOnce(&Repeating<'_>) -> Result<(StatusCode, Steps), Fault>,
) -> Result<Response, Fault> {
    let booking = app.booking(token).await?;
    let offer = app.offer_of(token).await?;
    let source = app
        .appointments
        .source(offer.business.id, booking.id)
        .await?;
    // Its page says how it stands.
    let Some(source) = source else {
        return Ok(Redirect::to(&format!("/b/{token}")).into_response());
    };
    let site = Site::of(app, wanted.about(&booking));
    let repeating = Repeating {
        app,
        language: site.language,
        offer: &offer,
        source: &source,
        by: By::Customer,
        csrf: visit.form_token(),
        action: format!("/b/{token}/repeat"),
        back: format!("/b/{token}"),
        address: &|token| format!("/b/{token}"),
    };
    let (status, steps) = act(&repeating).await?;
    let mut response = render(&RepeatPage {
        site,
        business: offer.business.name.clone(),
        steps,
    })?;
    visit.remember(&mut response);
    *response.status_mut() = status;
    Ok(response)
}

/// Steps with sample words, for the galleries.
#[cfg(test)]
pub(crate) mod sample {
    use super::{Choice, DoneWords, EveryWords, RepeatForm, Steps, VisitWords, every_words};
    use crate::error::FieldProblem;
    use crate::language::Language;
    use crate::pages::gallery::zone;
    use crate::pages::words;
    use booking::Every;

    /// The question, the times, or what was booked.
    pub(crate) fn steps(language: Language, step: usize) -> Steps {
        let at: jiff::Timestamp = "2027-03-24T07:30:00Z".parse().unwrap();
        let time = words::day_and_clock(language, &at.to_zoned_datetime(zone()));
        let choice = |value: &str, name: String, is_chosen| Choice {
            value: value.into(),
            name,
            is_chosen,
        };
        let visit = |n, is_free| VisitWords {
            field: format!("visit-{n}"),
            time: time.clone(),
            is_free,
            choices: vec![
                choice("2027-03-24T07:30:00Z", time.clone(), is_free),
                choice("", language.text("series-skip").to_string(), !is_free),
            ],
        };
        let done = |address: Option<&str>| DoneWords {
            time: time.clone(),
            address: address.map(str::to_owned),
        };
        let lede = language
            .text("series-lede")
            .with("service", "Haircut & beard")
            .with("business", "Karoo Cuts")
            .with("time", &time);
        let every = Every::ALL.into_iter().map(|every| EveryWords {
            name: every.as_str(),
            words: every_words(language, every).to_string(),
            is_chosen: every == Every::Week,
        });
        Steps {
            action: "/b/secret/repeat".into(),
            back: "/b/secret".into(),
            csrf: "token".into(),
            request: "key".into(),
            lede: lede.to_string(),
            every: every.collect(),
            form: RepeatForm {
                every: "week".into(),
                count: "3".into(),
            },
            visits: match step {
                1 => vec![visit(1, true), visit(2, false)],
                _ => vec![],
            },
            done: match step {
                2 => vec![done(Some("/b/secret")), done(None)],
                _ => vec![],
            },
            problems: match step {
                0 => vec![FieldProblem {
                    field: "every",
                    detail: language.text("series-every-missing").to_string(),
                }],
                _ => vec![],
            },
        }
    }
}
