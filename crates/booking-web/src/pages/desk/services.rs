//! What can be booked: the list of services, and the form that makes or changes one. What is
//! booked already stays as it was agreed, also when the service is changed or given up.

use std::collections::BTreeMap;

use askama::Template;
use axum::response::Response;
use booking::Right;
use http::StatusCode;
use serde::Deserialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Desk, Frame, Here, limits, seen, slug};
use crate::address::Path;
use crate::error::{Fault, FieldProblem};
use crate::intake::{self, Problem};
use crate::language::message;
use crate::pages::{Site, words};
use crate::security::CheckedForm;
use crate::store;
use crate::store::offer::{Details, Service};

/// Before the id of somebody, in the name of the box that says that they give the service.
const GIVES: &str = "gives-";
/// Before the id of a kind of rooms, in the name of the field that says how many it needs.
const NEEDS: &str = "need-";
const NEEDS_MAX: i16 = 50;
const ABOUT_CHARS_MAX: usize = 500;

/// A service in the list.
pub(super) struct Line {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) price: String,
    pub(super) duration: String,
    pub(super) is_active: bool,
    pub(super) ahead: i64,
}

#[derive(Template)]
#[template(path = "desk/services.html")]
pub(super) struct ServicesPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) services: Vec<Line>,
}

/// Somebody who may give the service.
pub(super) struct Giver {
    pub(super) field: String,
    pub(super) name: String,
    pub(super) gives: bool,
}

/// A kind of rooms that the service may need.
pub(super) struct Need {
    pub(super) field: String,
    pub(super) kind: String,
    pub(super) quantity: String,
}

/// A service as it is shown and sent.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct ServiceForm {
    #[serde(default)]
    pub(super) seen: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) about: String,
    #[serde(default)]
    pub(super) price: String,
    #[serde(default)]
    pub(super) duration: String,
    #[serde(default)]
    pub(super) before: String,
    #[serde(default)]
    pub(super) after: String,
    #[serde(default)]
    pub(super) step: String,
    #[serde(default)]
    pub(super) capacity: String,
    #[serde(default)]
    pub(super) notice: String,
    #[serde(default)]
    pub(super) horizon: String,
    #[serde(default)]
    pub(super) day_max: String,
    #[serde(default)]
    pub(super) week_max: String,
    /// The boxes that are ticked and the rooms that it needs, by their names.
    #[serde(flatten)]
    pub(super) ticked: BTreeMap<String, String>,
}

/// A service that exists, as the page of its form needs it.
pub(super) struct Existing {
    pub(super) id: Uuid,
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) is_active: bool,
    pub(super) ahead: i64,
}

#[derive(Template)]
#[template(path = "desk/service.html")]
pub(super) struct ServicePage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) existing: Option<Existing>,
    pub(super) form: ServiceForm,
    pub(super) givers: Vec<Giver>,
    pub(super) needs: Vec<Need>,
    pub(super) problems: Vec<FieldProblem>,
}

impl ServicePage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
}

impl ServiceForm {
    /// What a new service is mostly like.
    fn usual() -> Self {
        Self {
            duration: "30".into(),
            before: "0".into(),
            after: "0".into(),
            step: "15".into(),
            capacity: "1".into(),
            notice: "60".into(),
            horizon: "90".into(),
            ..Self::default()
        }
    }

    fn of(service: &Service, givers: &[Uuid], needs: &[(Uuid, i16)]) -> Self {
        let ticked = givers
            .iter()
            .map(|id| (format!("{GIVES}{id}"), "yes".to_owned()));
        let need =
            |(pool, quantity): &(Uuid, i16)| (format!("{NEEDS}{pool}"), quantity.to_string());
        let needs = needs.iter().map(need);
        let mut form = Self {
            seen: String::new(),
            name: service.name.clone(),
            about: service.about.clone().unwrap_or_default(),
            price: intake::typed_cents(service.price_cents),
            duration: service.duration_minutes.to_string(),
            before: service.before_minutes.to_string(),
            after: service.after_minutes.to_string(),
            step: service.step_minutes.to_string(),
            capacity: service.capacity.to_string(),
            notice: service.notice_minutes.to_string(),
            horizon: service.horizon_days.to_string(),
            day_max: limits::typed(service.day_max),
            week_max: limits::typed(service.week_max),
            ticked: ticked.chain(needs).collect(),
        };
        form.seen = form.mark();
        form
    }

    fn mark(&self) -> String {
        let fields = [
            &self.name,
            &self.about,
            &self.price,
            &self.duration,
            &self.before,
            &self.after,
            &self.step,
            &self.capacity,
            &self.notice,
            &self.horizon,
            &self.day_max,
            &self.week_max,
        ];
        let ticked = self
            .ticked
            .iter()
            .flat_map(|(name, value)| [name.as_str(), value]);
        seen::mark(fields.map(String::as_str).into_iter().chain(ticked))
    }

    pub(super) fn givers(&self) -> Vec<Uuid> {
        let ids = self
            .ticked
            .keys()
            .filter_map(|name| name.strip_prefix(GIVES));
        ids.filter_map(|id| id.parse().ok()).collect()
    }

    /// How many of which kind of rooms it needs.
    fn needs(&self) -> Vec<(Uuid, i16)> {
        let need = |(name, quantity): (&String, &String)| {
            let pool = name.strip_prefix(NEEDS)?.parse().ok()?;
            let quantity: i16 = quantity.trim().parse().ok()?;
            (1..=NEEDS_MAX)
                .contains(&quantity)
                .then_some((pool, quantity))
        };
        self.ticked.iter().filter_map(need).collect()
    }

    /// Checks all fields, or names every one that needs another value.
    fn check(&self) -> Result<(String, Option<String>, Numbers), Vec<Problem>> {
        let mut problems = Vec::new();
        let mut keep = |field, detail| problems.push(Problem { field, detail });
        let name = intake::line(&self.name, intake::NAME_CHARS_MAX).unwrap_or_else(|detail| {
            keep("name", detail);
            String::new()
        });
        let about =
            intake::text_of_at_most(ABOUT_CHARS_MAX, &self.about).unwrap_or_else(|detail| {
                keep("about", detail);
                None
            });
        let price_cents = intake::cents(&self.price).unwrap_or_else(|detail| {
            keep("price", detail);
            0
        });
        let is_wrong = |(name, quantity): (&String, &String)| {
            let quantity = quantity.trim();
            name.starts_with(NEEDS)
                && !quantity.is_empty()
                && intake::number(quantity, 0..=i32::from(NEEDS_MAX)).is_err()
        };
        if self.ticked.iter().any(is_wrong) {
            let detail = message("field-number-range")
                .with("min", 0)
                .with("max", i32::from(NEEDS_MAX));
            keep("needs", detail);
        }
        let mut number = |field, text: &str, range| {
            intake::number(text, range).unwrap_or_else(|detail| {
                keep(field, detail);
                0
            })
        };
        let limits = limits::read((&self.day_max, &self.week_max), &mut number);
        let numbers = Numbers {
            price_cents,
            duration: number("duration", &self.duration, 5..=1440),
            before: number("before", &self.before, 0..=720),
            after: number("after", &self.after, 0..=720),
            step: number("step", &self.step, 1..=1440),
            capacity: number("capacity", &self.capacity, 1..=500),
            notice: number("notice", &self.notice, 0..=525_600),
            horizon: number("horizon", &self.horizon, 0..=730),
            limits,
        };
        if problems.is_empty() {
            Ok((name, about, numbers))
        } else {
            Err(problems)
        }
    }
}

struct Numbers {
    price_cents: i64,
    duration: i32,
    before: i32,
    after: i32,
    step: i32,
    capacity: i32,
    notice: i32,
    horizon: i32,
    limits: (Option<i16>, Option<i16>),
}

fn details<'a>(name: &'a str, about: Option<&'a str>, numbers: &Numbers) -> Details<'a> {
    Details {
        name,
        about,
        duration_minutes: numbers.duration,
        before_minutes: numbers.before,
        after_minutes: numbers.after,
        step_minutes: numbers.step,
        notice_minutes: numbers.notice,
        horizon_days: numbers.horizon,
        price_cents: numbers.price_cents,
        capacity: numbers.capacity,
        limits: numbers.limits,
    }
}

/// Answers `GET /desk/{business}/services`.
pub(crate) async fn get(desk: Desk) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let (language, now) = (desk.language(), desk.now());
    let mut transaction = desk.begin().await?;
    let services = store::offer::services(&mut transaction, now).await?;
    transaction.rollback().await?;
    let currency = desk.member.business.currency();
    let line = |service: Service| Line {
        id: service.id,
        price: words::price(language, service.price_cents, currency),
        duration: words::duration(language, i64::from(service.duration_minutes)),
        name: service.name,
        is_active: service.is_active,
        ahead: service.ahead,
    };
    desk.show(&ServicesPage {
        site: desk.site(),
        desk: desk.frame(Here::Services),
        services: services.into_iter().map(line).collect(),
    })
}

/// Answers `GET /desk/{business}/services/new`.
pub(crate) async fn new(desk: Desk) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let mut transaction = desk.begin().await?;
    let form = ServiceForm::usual();
    let page = page(&desk, &mut transaction, None, form, Vec::new()).await?;
    transaction.rollback().await?;
    desk.show(&page)
}

/// Answers `POST /desk/{business}/services/new`.
pub(crate) async fn create(desk: Desk, form: CheckedForm<ServiceForm>) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let (form, _) = form.open();
    let mut transaction = desk.begin().await?;
    let connection = &mut *transaction;
    match form.check() {
        Ok((name, about, numbers)) => {
            let (id, business) = (desk.id(), desk.member.business.id);
            let details = details(&name, about.as_deref(), &numbers);
            let mut slug = free_slug(connection, &name).await?;
            // Somebody else may take the address meanwhile.
            while !store::offer::insert_service(connection, id, business, &slug, &details).await? {
                slug = free_slug(connection, &name).await?;
            }
            set_crew(&desk, connection, id, &form).await?;
            desk.audit(connection, "service.added", id).await?;
            transaction.commit().await?;
            Ok(desk.on_to("/services", "saved"))
        }
        Err(problems) => {
            let page = page(&desk, connection, None, form, problems).await?;
            transaction.rollback().await?;
            desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// Answers `GET /desk/{business}/services/{service}`.
pub(crate) async fn one(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let mut transaction = desk.begin().await?;
    let (service, form) = stands(&desk, &mut transaction, id).await?;
    let page = page(&desk, &mut transaction, Some(&service), form, Vec::new()).await?;
    transaction.rollback().await?;
    desk.show(&page)
}

/// Answers `POST /desk/{business}/services/{service}`.
pub(crate) async fn post(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
    form: CheckedForm<ServiceForm>,
) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let (form, _) = form.open();
    let mut transaction = desk.begin().await?;
    let connection = &mut *transaction;
    store::offer::lock_service(connection, id).await?;
    let (service, stands) = stands(&desk, connection, id).await?;
    let problems = match form.check() {
        Err(problems) => problems,
        Ok(_) if form.seen != stands.seen => vec![Problem {
            field: "name",
            detail: message("desk-changed"),
        }],
        Ok((name, about, numbers)) => {
            let details = details(&name, about.as_deref(), &numbers);
            store::offer::update_service(connection, id, &details).await?;
            set_crew(&desk, connection, id, &form).await?;
            desk.audit(connection, "service.changed", id).await?;
            transaction.commit().await?;
            return Ok(desk.on_to("/services", "saved"));
        }
    };
    // Whoever sends it again has seen what stands there by now.
    let form = ServiceForm {
        seen: stands.seen,
        ..form
    };
    let page = page(&desk, connection, Some(&service), form, problems).await?;
    transaction.rollback().await?;
    desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// Whether it is offered from now on.
#[derive(Debug, Deserialize)]
pub(crate) struct OfferForm {
    #[serde(default)]
    pub(super) offered: String,
}

/// Answers `POST /desk/{business}/services/{service}/offer`.
pub(crate) async fn offer(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
    form: CheckedForm<OfferForm>,
) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let (form, _) = form.open();
    let mut transaction = desk.begin().await?;
    let is_offered = form.offered == "yes";
    if !store::offer::offer_service(&mut transaction, id, is_offered).await? {
        return Err(Fault::NotFound);
    }
    desk.audit(&mut transaction, "service.changed", id).await?;
    transaction.commit().await?;
    Ok(desk.on_to("/services", "saved"))
}

/// Who gives it, and which rooms it needs.
async fn set_crew(
    desk: &Desk,
    connection: &mut PgConnection,
    service: Uuid,
    form: &ServiceForm,
) -> Result<(), Fault> {
    let business = desk.member.business.id;
    store::offer::set_givers(connection, business, service, &form.givers()).await?;
    let needs = form.needs().into_iter();
    let needs: Vec<_> = needs
        .map(|(pool, quantity)| (desk.id(), pool, quantity))
        .collect();
    Ok(store::pool::set_needs(connection, business, service, &needs).await?)
}

/// The service as it stands, and its form.
async fn stands(
    desk: &Desk,
    connection: &mut PgConnection,
    id: Uuid,
) -> Result<(Service, ServiceForm), Fault> {
    let service = store::offer::service(connection, id, desk.now()).await?;
    let service = service.ok_or(Fault::NotFound)?;
    let given = store::offer::given(connection).await?;
    let givers = given.iter().filter(|(service, _)| *service == id);
    let givers: Vec<Uuid> = givers.map(|(_, staff)| *staff).collect();
    let needs = store::pool::needs(connection, id).await?;
    let form = ServiceForm::of(&service, &givers, &needs);
    Ok((service, form))
}

async fn page<'a>(
    desk: &'a Desk,
    connection: &mut PgConnection,
    service: Option<&Service>,
    form: ServiceForm,
    problems: Vec<Problem>,
) -> Result<ServicePage<'a>, Fault> {
    let ticked = form.givers();
    let staff = store::offer::staff(connection, desk.now()).await?;
    let staff = staff
        .into_iter()
        .filter(|s| s.is_active || ticked.contains(&s.id));
    let giver = |staff: store::offer::Staff| Giver {
        field: format!("{GIVES}{}", staff.id),
        gives: ticked.contains(&staff.id),
        name: staff.name,
    };
    let pools = store::pool::all(connection).await?;
    let need = |pool: store::pool::Pool| {
        let field = format!("{NEEDS}{}", pool.id);
        Need {
            quantity: form.ticked.get(&field).cloned().unwrap_or_default(),
            kind: pool.name,
            field,
        }
    };
    let needs = pools.into_iter().map(need).collect();
    Ok(ServicePage {
        site: desk.site(),
        desk: desk.frame(Here::Services),
        existing: service.map(|service| Existing {
            id: service.id,
            slug: service.slug.clone(),
            name: service.name.clone(),
            is_active: service.is_active,
            ahead: service.ahead,
        }),
        givers: staff.map(giver).collect(),
        needs,
        form,
        problems: Problem::all_in_words(problems, desk.language()),
    })
}

/// An address out of a name that no other service of the business has.
async fn free_slug(connection: &mut PgConnection, name: &str) -> Result<String, Fault> {
    let first = slug::of(name);
    let mut slug = first.clone();
    let mut number = 1;
    while !store::offer::is_slug_free(connection, &slug).await? {
        number += 1;
        slug = slug::numbered(&first, number);
    }
    Ok(slug)
}
