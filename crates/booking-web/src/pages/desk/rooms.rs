//! Rooms and devices, in kinds of which any will do, and taking one out of use.

use askama::Template;
use axum::response::Response;
use booking::Right;
use http::StatusCode;
use serde::Deserialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Desk, Frame, Here};
use crate::address::Path;
use crate::error::{Fault, FieldProblem};
use crate::intake::{self, Problem};
use crate::pages::Site;
use crate::security::CheckedForm;
use crate::store;
use crate::store::pool::Unit;

const NAME_CHARS_MAX: usize = 120;

/// A kind of rooms or devices.
pub(super) struct Kind {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) place: String,
    pub(super) units: Vec<Unit>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct RoomForm {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) place: String,
}

#[derive(Template)]
#[template(path = "desk/rooms.html")]
pub(super) struct RoomsPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) kinds: Vec<Kind>,
    pub(super) places: Vec<(Uuid, String)>,
    pub(super) form: RoomForm,
    pub(super) problems: Vec<FieldProblem>,
}

impl RoomsPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
}

/// Answers `GET /desk/{business}/rooms`.
pub(crate) async fn get(desk: Desk) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let mut transaction = desk.begin().await?;
    let page = page(&desk, &mut transaction, RoomForm::default(), Vec::new()).await?;
    transaction.rollback().await?;
    desk.show(&page)
}

/// Answers `POST /desk/{business}/rooms`: a new kind, with its first unit.
pub(crate) async fn create(desk: Desk, form: CheckedForm<RoomForm>) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let (form, _) = form.open();
    let mut transaction = desk.begin().await?;
    let connection = &mut *transaction;
    let places = store::offer::locations(connection).await?;
    let place = places.iter().find(|(id, _)| id.to_string() == form.place);
    let (place, _) = place.or(places.first()).ok_or(Fault::NotFound)?;
    match intake::line(&form.name, NAME_CHARS_MAX) {
        Ok(name) => {
            let (pool, lane, business) = (desk.id(), desk.id(), desk.member.business.id);
            store::pool::insert(connection, pool, business, *place, &name).await?;
            store::pool::add(connection, lane, pool, &name).await?;
            desk.audit(connection, "room.added", pool).await?;
            transaction.commit().await?;
            Ok(desk.on_to("/rooms", "saved"))
        }
        Err(detail) => {
            let problem = Problem {
                field: "name",
                detail,
            };
            let page = page(&desk, connection, form, vec![problem]).await?;
            transaction.rollback().await?;
            desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// Answers `POST /desk/{business}/rooms/{kind}`: one more of a kind.
pub(crate) async fn add(
    desk: Desk,
    Path((_, pool)): Path<(String, Uuid)>,
    form: CheckedForm<RoomForm>,
) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let (form, _) = form.open();
    let mut transaction = desk.begin().await?;
    let connection = &mut *transaction;
    let Ok(name) = intake::line(&form.name, NAME_CHARS_MAX) else {
        // A browser does not send this form without a name.
        return Err(Fault::Malformed("a room without a name".to_owned()));
    };
    let lane = desk.id();
    if !store::pool::add(connection, lane, pool, &name).await? {
        return Err(Fault::NotFound);
    }
    desk.audit(connection, "room.added", lane).await?;
    transaction.commit().await?;
    Ok(desk.on_to("/rooms", "saved"))
}

/// Whether it is in use from now on.
#[derive(Debug, Deserialize)]
pub(crate) struct UseForm {
    unit: Uuid,
    #[serde(default)]
    used: String,
}

/// Answers `POST /desk/{business}/rooms/{kind}/use`.
pub(crate) async fn employ(
    desk: Desk,
    Path((_, _)): Path<(String, Uuid)>,
    form: CheckedForm<UseForm>,
) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let (form, _) = form.open();
    let mut transaction = desk.begin().await?;
    let is_used = form.used == "yes";
    if !store::pool::employ(&mut transaction, form.unit, is_used).await? {
        return Err(Fault::NotFound);
    }
    desk.audit(&mut transaction, "room.changed", form.unit)
        .await?;
    transaction.commit().await?;
    Ok(desk.on_to("/rooms", "saved"))
}

async fn page<'a>(
    desk: &'a Desk,
    connection: &mut PgConnection,
    form: RoomForm,
    problems: Vec<Problem>,
) -> Result<RoomsPage<'a>, Fault> {
    let units = store::pool::units(connection).await?;
    let pools = store::pool::all(connection).await?;
    let kind = |pool: store::pool::Pool| Kind {
        units: units
            .iter()
            .filter(|u| u.pool == pool.id)
            .cloned()
            .collect(),
        id: pool.id,
        name: pool.name,
        place: pool.place,
    };
    Ok(RoomsPage {
        site: desk.site(),
        desk: desk.frame(Here::Rooms),
        kinds: pools.into_iter().map(kind).collect(),
        places: store::offer::locations(connection).await?,
        form,
        problems: Problem::all_in_words(problems, desk.language()),
    })
}
