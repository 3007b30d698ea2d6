//! What the business says of itself, and under which terms it is booked. What is booked
//! keeps the terms that it was booked under.

use askama::Template;
use axum::response::Response;
use booking::{Band, Policy, Right};
use http::StatusCode;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde::Deserialize;
use sqlx::PgConnection;

use super::{Desk, Frame, Here, seen};
use crate::appointments::terms;
use crate::error::{Fault, FieldProblem};
use crate::intake::{self, Problem};
use crate::language::{Language, message};
use crate::pages::Site;
use crate::security::CheckedForm;
use crate::store;
use crate::store::settings::Settings;

const ABOUT_CHARS_MAX: usize = 500;
const ADDRESS_CHARS_MAX: usize = 300;
const NAME_CHARS_MAX: usize = 120;
/// A month.
const HOURS_MAX: i32 = 720;

/// The settings as they are shown and sent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SettingsForm {
    pub(super) seen: String,
    pub(super) name: String,
    pub(super) about: String,
    pub(super) place: String,
    pub(super) address: String,
    pub(super) zone: String,
    pub(super) locale: String,
    /// So many minutes before the start customers can cancel by themselves.
    pub(super) limit: String,
    /// With less notice than so many hours, it costs so many percent; empty means nothing.
    pub(super) hours: String,
    pub(super) percent: String,
    pub(super) hours_2: String,
    pub(super) percent_2: String,
    pub(super) cap: String,
}

#[derive(Template)]
#[template(path = "desk/settings.html")]
pub(super) struct SettingsPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) form: SettingsForm,
    /// Steps of the terms that the form cannot show.
    pub(super) kept: usize,
    pub(super) problems: Vec<FieldProblem>,
}

impl SettingsPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
}

/// The terms as they stand.
fn policy(settings: &Settings) -> Policy {
    terms::read(settings.terms.as_deref(), settings.cancel_limit_minutes)
}

/// The steps of the terms that the form shows, the one that begins first before the others,
/// and those that it cannot show: more than two, or not of whole hours.
fn parted(policy: &Policy) -> (Vec<Band>, Vec<Band>) {
    let mut bands = policy.bands.clone();
    bands.sort_by_key(|band| std::cmp::Reverse(band.notice));
    let is_whole = |band: &Band| band.notice.as_secs() % 3600 == 0;
    let (mut shown, mut kept): (Vec<_>, Vec<_>) = bands.into_iter().partition(is_whole);
    kept.extend(shown.split_off(shown.len().min(2)));
    (shown, kept)
}

impl SettingsForm {
    fn of(settings: &Settings) -> Self {
        let policy = policy(settings);
        let (bands, _) = parted(&policy);
        let band = |at: usize| {
            bands.get(at).map_or_else(Default::default, |band| {
                (band.notice.as_hours().to_string(), band.percent.to_string())
            })
        };
        let ((hours, percent), (hours_2, percent_2)) = (band(0), band(1));
        let mut form = Self {
            seen: String::new(),
            name: settings.name.clone(),
            about: settings.about.clone().unwrap_or_default(),
            place: settings.place.clone(),
            address: settings.address.clone(),
            zone: settings.zone.clone(),
            locale: settings.locale.clone(),
            limit: policy.limit.as_mins().to_string(),
            hours,
            percent,
            hours_2,
            percent_2,
            cap: policy
                .cap_cents
                .map_or_else(String::new, intake::typed_cents),
        };
        form.seen = form.mark();
        form
    }

    fn mark(&self) -> String {
        let fields = [
            &self.name,
            &self.about,
            &self.place,
            &self.address,
            &self.zone,
            &self.locale,
            &self.limit,
            &self.hours,
            &self.percent,
            &self.hours_2,
            &self.percent_2,
            &self.cap,
        ];
        seen::mark(fields.map(String::as_str))
    }

    /// Checks all fields, or names every one that needs another value.
    fn check(&self, stands: &Settings) -> Result<(Settings, Policy), Vec<Problem>> {
        let mut problems = Vec::new();
        let mut line = |field, text: &str, max: usize| {
            intake::line(text, max).unwrap_or_else(|detail| {
                problems.push(Problem { field, detail });
                String::new()
            })
        };
        let (name, place, address) = (
            line("name", &self.name, NAME_CHARS_MAX),
            line("place", &self.place, NAME_CHARS_MAX),
            line("address", &self.address, ADDRESS_CHARS_MAX),
        );
        let about = intake::text_of_at_most(ABOUT_CHARS_MAX, &self.about);
        let about = about.unwrap_or_else(|detail| {
            problems.push(Problem {
                field: "about",
                detail,
            });
            None
        });
        let zone = self.zone.trim().to_owned();
        if TimeZone::get(&zone).is_err() {
            problems.push(Problem {
                field: "zone",
                detail: message("settings-zone-unknown"),
            });
        }
        let language = Language::of_tag(&self.locale).unwrap_or_default();
        let mut policy = self.policy(&mut problems);
        let (_, kept) = parted(&self::policy(stands));
        let is_new = |band: &Band| policy.bands.iter().all(|new| new.notice != band.notice);
        let kept: Vec<_> = kept.into_iter().filter(is_new).collect();
        policy.bands.extend(kept);
        if !problems.is_empty() {
            return Err(problems);
        }
        let settings = Settings {
            name,
            about,
            zone,
            locale: language.tag().to_owned(),
            cancel_limit_minutes: i32::try_from(policy.limit.as_mins()).unwrap_or(0),
            terms: None,
            location: stands.location,
            place,
            address,
        };
        Ok((settings, policy))
    }

    /// The terms, or what is wrong with them.
    fn policy(&self, problems: &mut Vec<Problem>) -> Policy {
        let mut number = |field, text: &str, range| {
            intake::number(text, range).unwrap_or_else(|detail| {
                problems.push(Problem { field, detail });
                0
            })
        };
        let limit = number("limit", &self.limit, 0..=43_200);
        let mut bands = Vec::new();
        for (hours, percent, names) in [
            (&self.hours, &self.percent, ("hours", "percent")),
            (&self.hours_2, &self.percent_2, ("hours_2", "percent_2")),
        ] {
            if hours.trim().is_empty() && percent.trim().is_empty() {
                continue;
            }
            let hours = number(names.0, hours, 1..=HOURS_MAX);
            let percent = number(names.1, percent, 0..=100);
            bands.push(Band {
                notice: SignedDuration::from_hours(i64::from(hours)),
                percent: u8::try_from(percent).unwrap_or(100),
            });
        }
        let cap = (!self.cap.trim().is_empty()).then(|| intake::cents(&self.cap));
        let cap_cents = cap.and_then(|cap| {
            cap.map_err(|detail| {
                problems.push(Problem {
                    field: "cap",
                    detail,
                });
            })
            .ok()
        });
        Policy {
            limit: SignedDuration::from_mins(i64::from(limit)),
            bands,
            cap_cents,
        }
    }
}

/// Answers `GET /desk/{business}/settings`.
pub(crate) async fn get(desk: Desk) -> Result<Response, Fault> {
    desk.must(Right::ChangeSettings)?;
    let mut transaction = desk.begin().await?;
    let settings = stands(&mut transaction).await?;
    transaction.rollback().await?;
    let (_, kept) = parted(&policy(&settings));
    let form = SettingsForm::of(&settings);
    desk.show(&page(&desk, form, kept.len(), Vec::new()))
}

/// Answers `POST /desk/{business}/settings`.
pub(crate) async fn post(desk: Desk, form: CheckedForm<SettingsForm>) -> Result<Response, Fault> {
    desk.must(Right::ChangeSettings)?;
    let (form, _) = form.open();
    let mut transaction = desk.begin().await?;
    let connection = &mut *transaction;
    store::settings::lock(connection).await?;
    let settings = stands(connection).await?;
    let kept = parted(&policy(&settings)).1.len();
    let seen = SettingsForm::of(&settings).seen;
    let problems = match form.check(&settings) {
        Err(problems) => problems,
        Ok(_) if form.seen != seen => vec![Problem {
            field: "name",
            detail: message("desk-changed"),
        }],
        Ok((settings, policy)) => {
            let (id, business) = (desk.id(), desk.member.business.id);
            store::settings::update(connection, &settings).await?;
            store::policy::set(connection, id, business, None, &terms::write(&policy)).await?;
            desk.audit(connection, "settings.changed", business).await?;
            transaction.commit().await?;
            return Ok(desk.on_to("/settings", "saved"));
        }
    };
    transaction.rollback().await?;
    // Whoever sends it again has seen what stands there by now.
    let form = SettingsForm { seen, ..form };
    desk.show_as(
        StatusCode::UNPROCESSABLE_ENTITY,
        &page(&desk, form, kept, problems),
    )
}

async fn stands(connection: &mut PgConnection) -> Result<Settings, Fault> {
    let settings = store::settings::read(connection).await?;
    settings.ok_or_else(|| Fault::Broken(anyhow::anyhow!("a business without a place")))
}

fn page(desk: &Desk, form: SettingsForm, kept: usize, problems: Vec<Problem>) -> SettingsPage<'_> {
    SettingsPage {
        site: desk.site(),
        desk: desk.frame(Here::Settings),
        form,
        kept,
        problems: Problem::all_in_words(problems, desk.language()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(terms: Option<&str>) -> Settings {
        Settings {
            name: "Karoo Cuts".into(),
            about: None,
            zone: "Africa/Johannesburg".into(),
            locale: "en".into(),
            cancel_limit_minutes: 30,
            terms: terms.map(str::to_owned),
            location: uuid::Uuid::nil(),
            place: "Church Street".into(),
            address: "12 Church Street".into(),
        }
    }

    #[test]
    fn what_was_shown_is_what_is_sent_back() {
        let terms = r#"{"limit_minutes":60,"bands":[{"notice_minutes":240,"percent":100},
            {"notice_minutes":1440,"percent":50}],"cap_cents":20050}"#;
        let stands = settings(Some(terms));
        let form = SettingsForm::of(&stands);
        let shown = [
            &form.hours,
            &form.percent,
            &form.hours_2,
            &form.percent_2,
            &form.cap,
        ];
        assert_eq!(shown, ["24", "50", "4", "100", "200.50"]);
        let Ok((_, policy)) = form.check(&stands) else {
            panic!("it does not read what it wrote");
        };
        let mut read = terms::read(Some(terms), 0);
        read.bands
            .sort_by_key(|band| std::cmp::Reverse(band.notice));
        assert_eq!(policy, read);
    }

    #[test]
    fn terms_that_the_form_cannot_show_are_kept() {
        let terms = r#"{"limit_minutes":60,"bands":[{"notice_minutes":240,"percent":100},
            {"notice_minutes":90,"percent":100},{"notice_minutes":2880,"percent":10},
            {"notice_minutes":1440,"percent":50}]}"#;
        let stands = settings(Some(terms));
        let form = SettingsForm::of(&stands);
        assert_eq!((form.hours.as_str(), form.hours_2.as_str()), ("48", "24"));
        let Ok((_, mut policy)) = form.check(&stands) else {
            panic!("it does not read what it wrote");
        };
        let mut read = terms::read(Some(terms), 0);
        for bands in [&mut policy.bands, &mut read.bands] {
            bands.sort_by_key(|band| band.notice);
        }
        assert_eq!(policy, read);
    }

    #[test]
    fn every_wrong_field_is_named() {
        let stands = settings(None);
        let form = SettingsForm {
            name: " ".into(),
            zone: "Africa/Nowhere".into(),
            limit: "-1".into(),
            hours: "24".into(),
            percent: "101".into(),
            cap: "much".into(),
            ..SettingsForm::of(&stands)
        };
        let problems = form.check(&stands).err().unwrap();
        let fields: Vec<_> = problems.iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["name", "zone", "limit", "percent", "cap"]);
    }
}
