//! Who has a calendar: the list, and the form that adds or changes somebody. Whoever has left
//! keeps what is booked with them, to be moved or cancelled.

use std::collections::BTreeMap;

use askama::Template;
use axum::response::Response;
use booking::Right;
use http::StatusCode;
use serde::Deserialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Desk, Frame, Here, limits, seen};
use crate::address::Path;
use crate::error::{Fault, FieldProblem};
use crate::intake::{self, Problem};
use crate::language::message;
use crate::pages::Site;
use crate::security::CheckedForm;
use crate::store;
use crate::store::offer::Staff;

/// Before the id of a service, in the name of the box that says that they give it.
const GIVES: &str = "gives-";

#[derive(Template)]
#[template(path = "desk/staff.html")]
pub(super) struct StaffPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) staff: Vec<Staff>,
}

/// Somebody as they are shown and sent.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct PersonForm {
    #[serde(default)]
    pub(super) seen: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) place: String,
    #[serde(default)]
    pub(super) day_max: String,
    #[serde(default)]
    pub(super) week_max: String,
    /// The boxes that are ticked, by their names.
    #[serde(flatten)]
    pub(super) ticked: BTreeMap<String, String>,
}

/// Something to tick or to choose.
pub(super) struct Choice {
    pub(super) field: String,
    pub(super) name: String,
    pub(super) is_on: bool,
}

#[derive(Template)]
#[template(path = "desk/person.html")]
pub(super) struct PersonPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) existing: Option<Staff>,
    pub(super) form: PersonForm,
    pub(super) places: Vec<Choice>,
    pub(super) services: Vec<Choice>,
    pub(super) problems: Vec<FieldProblem>,
}

impl PersonPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
}

/// Somebody as they are to be kept.
struct Checked {
    name: String,
    place: Uuid,
    limits: (Option<i16>, Option<i16>),
}

impl PersonForm {
    fn of(staff: &Staff, given: &[Uuid]) -> Self {
        let ticked = given
            .iter()
            .map(|id| (format!("{GIVES}{id}"), "yes".to_owned()));
        let mut form = Self {
            seen: String::new(),
            name: staff.name.clone(),
            place: staff.location.to_string(),
            day_max: limits::typed(staff.day_max),
            week_max: limits::typed(staff.week_max),
            ticked: ticked.collect(),
        };
        let ticked = form.ticked.keys().map(String::as_str);
        let fields = [&form.name, &form.place, &form.day_max, &form.week_max];
        let fields = fields.map(String::as_str).into_iter();
        form.seen = seen::mark(fields.chain(ticked));
        form
    }

    fn services(&self) -> Vec<Uuid> {
        let ids = self
            .ticked
            .keys()
            .filter_map(|name| name.strip_prefix(GIVES));
        ids.filter_map(|id| id.parse().ok()).collect()
    }

    /// Checks all fields, or names every one that needs another value.
    fn check(&self, places: &[(Uuid, String)]) -> Result<Checked, Vec<Problem>> {
        let mut problems = Vec::new();
        let name = intake::line(&self.name, intake::NAME_CHARS_MAX).map_err(|detail| {
            problems.push(Problem {
                field: "name",
                detail,
            });
        });
        let place = places.iter().find(|(id, _)| id.to_string() == self.place);
        if place.is_none() {
            problems.push(Problem {
                field: "place",
                detail: message("staff-place-missing"),
            });
        }
        let mut number = |field, text: &str, range| {
            intake::number(text, range).unwrap_or_else(|detail| {
                problems.push(Problem { field, detail });
                0
            })
        };
        let limits = limits::read((&self.day_max, &self.week_max), &mut number);
        match (name, place) {
            (Ok(name), Some((place, _))) if problems.is_empty() => Ok(Checked {
                name,
                place: *place,
                limits,
            }),
            _ => Err(problems),
        }
    }
}

/// Answers `GET /desk/{business}/staff`.
pub(crate) async fn get(desk: Desk) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let mut transaction = desk.begin().await?;
    let staff = store::offer::staff(&mut transaction, desk.now()).await?;
    transaction.rollback().await?;
    desk.show(&StaffPage {
        site: desk.site(),
        desk: desk.frame(Here::Staff),
        staff,
    })
}

/// Answers `GET /desk/{business}/staff/new`.
pub(crate) async fn new(desk: Desk) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let mut transaction = desk.begin().await?;
    let places = store::offer::locations(&mut transaction).await?;
    let form = PersonForm {
        place: places
            .first()
            .map_or_else(String::new, |(id, _)| id.to_string()),
        ..PersonForm::default()
    };
    let page = page(&desk, &mut transaction, None, form, Vec::new()).await?;
    transaction.rollback().await?;
    desk.show(&page)
}

/// Answers `POST /desk/{business}/staff/new`.
pub(crate) async fn create(desk: Desk, form: CheckedForm<PersonForm>) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let (form, _) = form.open();
    let mut transaction = desk.begin().await?;
    let connection = &mut *transaction;
    let places = store::offer::locations(connection).await?;
    match form.check(&places) {
        Ok(Checked {
            name,
            place,
            limits,
        }) => {
            let (staff, lane, business) = (desk.id(), desk.id(), desk.member.business.id);
            store::seed::staff(connection, business, place, (staff, lane), &name).await?;
            store::offer::limit_staff(connection, staff, limits).await?;
            store::offer::set_given(connection, business, staff, &form.services()).await?;
            desk.audit(connection, "staff.added", staff).await?;
            transaction.commit().await?;
            // Without hours nobody can book them, so that is what comes next.
            Ok(desk.on_to(&format!("/hours/{lane}"), "saved"))
        }
        Err(problems) => {
            let page = page(&desk, connection, None, form, problems).await?;
            transaction.rollback().await?;
            desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// Answers `GET /desk/{business}/staff/{staff}`.
pub(crate) async fn one(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let mut transaction = desk.begin().await?;
    let (staff, form) = stands(&desk, &mut transaction, id).await?;
    let page = page(&desk, &mut transaction, Some(staff), form, Vec::new()).await?;
    transaction.rollback().await?;
    desk.show(&page)
}

/// Answers `POST /desk/{business}/staff/{staff}`.
pub(crate) async fn post(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
    form: CheckedForm<PersonForm>,
) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let (form, _) = form.open();
    let mut transaction = desk.begin().await?;
    let connection = &mut *transaction;
    store::offer::lock_staff(connection, id).await?;
    let (staff, stands) = stands(&desk, connection, id).await?;
    let places = store::offer::locations(connection).await?;
    let problems = match form.check(&places) {
        Err(problems) => problems,
        Ok(_) if form.seen != stands.seen => vec![Problem {
            field: "name",
            detail: message("desk-changed"),
        }],
        Ok(Checked {
            name,
            place,
            limits,
        }) => {
            let business = desk.member.business.id;
            store::offer::rename_staff(connection, id, &name, place).await?;
            store::offer::limit_staff(connection, id, limits).await?;
            store::offer::set_given(connection, business, id, &form.services()).await?;
            desk.audit(connection, "staff.changed", id).await?;
            transaction.commit().await?;
            return Ok(desk.on_to("/staff", "saved"));
        }
    };
    // Whoever sends it again has seen what stands there by now.
    let form = PersonForm {
        seen: stands.seen,
        ..form
    };
    let page = page(&desk, connection, Some(staff), form, problems).await?;
    transaction.rollback().await?;
    desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// Whether they are here from now on.
#[derive(Debug, Deserialize)]
pub(crate) struct EmployForm {
    #[serde(default)]
    here: String,
}

/// Answers `POST /desk/{business}/staff/{staff}/employ`.
pub(crate) async fn employ(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
    form: CheckedForm<EmployForm>,
) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let (form, _) = form.open();
    let mut transaction = desk.begin().await?;
    if !store::offer::employ(&mut transaction, id, form.here == "yes").await? {
        return Err(Fault::NotFound);
    }
    desk.audit(&mut transaction, "staff.changed", id).await?;
    transaction.commit().await?;
    Ok(desk.on_to("/staff", "saved"))
}

/// Somebody as they stand, and their form.
async fn stands(
    desk: &Desk,
    connection: &mut PgConnection,
    id: Uuid,
) -> Result<(Staff, PersonForm), Fault> {
    let staff = store::offer::person(connection, id, desk.now()).await?;
    let staff = staff.ok_or(Fault::NotFound)?;
    let given = store::offer::given(connection).await?;
    let given = given.iter().filter(|(_, staff)| *staff == id);
    let given: Vec<Uuid> = given.map(|(service, _)| *service).collect();
    let form = PersonForm::of(&staff, &given);
    Ok((staff, form))
}

async fn page<'a>(
    desk: &'a Desk,
    connection: &mut PgConnection,
    existing: Option<Staff>,
    form: PersonForm,
    problems: Vec<Problem>,
) -> Result<PersonPage<'a>, Fault> {
    let ticked = form.services();
    let services = store::offer::services(connection, desk.now()).await?;
    let services = services
        .into_iter()
        .filter(|s| s.is_active || ticked.contains(&s.id));
    let places = store::offer::locations(connection).await?;
    let place = |(id, name): (Uuid, String)| Choice {
        field: id.to_string(),
        is_on: form.place == id.to_string(),
        name,
    };
    Ok(PersonPage {
        site: desk.site(),
        desk: desk.frame(Here::Staff),
        existing,
        places: places.into_iter().map(place).collect(),
        services: services
            .map(|service| Choice {
                field: format!("{GIVES}{}", service.id),
                is_on: ticked.contains(&service.id),
                name: service.name,
            })
            .collect(),
        form,
        problems: Problem::all_in_words(problems, desk.language()),
    })
}
