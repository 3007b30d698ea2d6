//! Two records of one customer become one. What will happen is shown first; the one that
//! is left keeps every booking of both.

use askama::Template;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use booking::Right;
use http::StatusCode;
use serde::Deserialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::customers::{customer_path, digits};
use super::{Desk, Frame, Here, seen};
use crate::address::Path;
use crate::error::Fault;
use crate::intake;
use crate::pages::Site;
use crate::security::CheckedForm;
use crate::store;
use crate::store::customer::{Customer, Details, Found};
use crate::store::privacy::Access;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    other: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct MergeForm {
    other: Uuid,
    #[serde(default)]
    seen: String,
}

/// What will become of two records.
pub(super) struct Plan {
    /// The one that goes.
    pub(super) other: Uuid,
    pub(super) other_name: String,
    /// Bookings that change hands.
    pub(super) bookings: i64,
    /// What the one that is left will be, as it is empty there and known of the other.
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) note: Option<String>,
    pub(super) is_restricted: bool,
    pub(super) seen: String,
}

impl Plan {
    /// What one of the two does not have comes from the other; a wish for less use of
    /// details holds for both.
    fn of(stays: &Customer, goes: &Customer, bookings: i64) -> Self {
        let either = |a: Option<&String>, b: Option<&String>| a.or(b).cloned();
        let note = match (stays.note.as_ref(), goes.note.as_ref()) {
            (Some(one), Some(other)) if one != other => joined(one, other),
            (one, other) => either(one, other),
        };
        let text = |text: Option<&String>| text.cloned().unwrap_or_default();
        let all = [stays, goes].map(|c| {
            [
                c.id.to_string(),
                c.name.clone(),
                text(c.email.as_ref()),
                text(c.phone.as_ref()),
                text(c.note.as_ref()),
            ]
        });
        let restricted = format!("{}{}", stays.is_restricted, goes.is_restricted);
        let fields = all.iter().flatten().map(String::as_str);
        Self {
            other: goes.id,
            other_name: goes.name.clone(),
            bookings,
            email: either(stays.email.as_ref(), goes.email.as_ref()),
            phone: either(stays.phone.as_ref(), goes.phone.as_ref()),
            note,
            is_restricted: stays.is_restricted || goes.is_restricted,
            seen: seen::mark(fields.chain([restricted.as_str()])),
        }
    }
}

/// Both notes. Where that is too long, the one of the record that stays; the other record
/// keeps its own.
fn joined(one: &str, other: &str) -> Option<String> {
    let both = intake::desk_note(&format!("{one}\n{other}"));
    both.unwrap_or_else(|_| Some(one.to_owned()))
}

#[derive(Template)]
#[template(path = "desk/merge.html")]
pub(super) struct MergePage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) asked: String,
    /// Whom it could be merged with, while nobody is chosen.
    pub(super) found: Vec<Found>,
    pub(super) plan: Option<Plan>,
    /// Somebody changed one of them since the plan was shown.
    pub(super) is_changed: bool,
}

/// Answers `GET /desk/{business}/customers/{customer}/merge?q=…&other=…`.
pub(crate) async fn get(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Fault> {
    let Query(asked) = query?;
    desk.must(Right::KeepCustomers)?;
    let mut transaction = desk.begin().await?;
    let stays = living(&mut transaction, id).await?;
    let mut page = MergePage {
        site: desk.site(),
        desk: desk.frame(Here::Customers),
        id,
        name: stays.name.clone(),
        asked: asked.q.trim().to_owned(),
        found: Vec::new(),
        plan: None,
        is_changed: false,
    };
    if asked.other.is_empty() {
        // Without a word to look for, those of the same name are likely.
        let text = if page.asked.is_empty() {
            &stays.name
        } else {
            &page.asked
        };
        let number = digits(text);
        let mut found = store::customer::search(&mut transaction, text, number.as_deref()).await?;
        found.retain(|found| found.id != id);
        page.found = found;
    } else {
        let other = asked.other.parse().map_err(|_| Fault::NotFound)?;
        page.plan = Some(plan(&mut transaction, &stays, other).await?);
    }
    let shown = page.found.iter().map(|customer| customer.id);
    let shown = shown.chain(page.plan.iter().map(|plan| plan.other));
    let shown: Vec<_> = shown.chain([id]).map(Some).collect();
    desk.saw(&mut transaction, shown).await?;
    transaction.commit().await?;
    desk.show(&page)
}

/// Answers `POST /desk/{business}/customers/{customer}/merge`.
pub(crate) async fn post(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
    form: CheckedForm<MergeForm>,
) -> Result<Response, Fault> {
    desk.must(Right::KeepCustomers)?;
    let (form, _) = form.open();
    let mut transaction = desk.begin().await?;
    let connection = &mut *transaction;
    // Whoever merges the same two the other way round waits, and then finds one.
    let mut both = [id, form.other];
    both.sort_unstable();
    for one in both {
        store::customer::lock(connection, one).await?;
    }
    let stays = living(connection, id).await?;
    let plan = plan(connection, &stays, form.other).await?;
    if plan.seen != form.seen {
        transaction.rollback().await?;
        let page = MergePage {
            site: desk.site(),
            desk: desk.frame(Here::Customers),
            id,
            name: stays.name,
            asked: String::new(),
            found: Vec::new(),
            plan: Some(plan),
            is_changed: true,
        };
        return desk.show_as(StatusCode::CONFLICT, &page);
    }
    store::customer::merge(connection, plan.other, id).await?;
    let details = Details {
        name: &stays.name,
        email: plan.email.as_deref(),
        phone: plan.phone.as_deref(),
        note: plan.note.as_deref(),
        is_restricted: plan.is_restricted,
    };
    store::customer::update(connection, id, &details).await?;
    for one in [id, plan.other] {
        desk.looked(connection, one, Access::Changed).await?;
        desk.audit(connection, "customer.merged", one).await?;
    }
    transaction.commit().await?;
    Ok(desk.on_to(&customer_path(id), "merged"))
}

/// A customer who was not merged into another.
async fn living(connection: &mut PgConnection, id: Uuid) -> Result<Customer, Fault> {
    let customer = store::customer::by_id(connection, id).await?;
    let customer = customer.filter(|customer| customer.merged_into.is_none());
    customer.ok_or(Fault::NotFound)
}

async fn plan(connection: &mut PgConnection, stays: &Customer, other: Uuid) -> Result<Plan, Fault> {
    if other == stays.id {
        return Err(Fault::NotFound);
    }
    let goes = living(connection, other).await?;
    let bookings = store::customer::count(connection, other).await?;
    Ok(Plan::of(stays, &goes, bookings))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer(n: u128, email: Option<&str>, note: Option<&str>, is_restricted: bool) -> Customer {
        Customer {
            id: Uuid::from_u128(n),
            name: format!("Thandi {n}"),
            email: email.map(str::to_owned),
            phone: None,
            note: note.map(str::to_owned),
            is_restricted,
            merged_into: None,
        }
    }

    #[test]
    fn what_one_does_not_have_comes_from_the_other_and_nothing_is_lost() {
        let stays = customer(1, None, Some("Rings twice"), false);
        let goes = customer(2, Some("t@example.com"), Some("By bus"), true);
        let plan = Plan::of(&stays, &goes, 3);
        assert_eq!(plan.email.as_deref(), Some("t@example.com"));
        assert_eq!(plan.note.as_deref(), Some("Rings twice\nBy bus"));
        assert!(plan.is_restricted, "a wish of one of them holds for both");
        let own = customer(1, Some("own@example.com"), None, false);
        let plan = Plan::of(&own, &goes, 3);
        assert_eq!(plan.email.as_deref(), Some("own@example.com"));
        assert_eq!(plan.note.as_deref(), Some("By bus"));
    }

    #[test]
    fn a_plan_that_was_seen_is_another_one_after_any_change() {
        let (one, two) = (
            customer(1, None, None, false),
            customer(2, None, None, false),
        );
        let seen = |one: &Customer, two: &Customer| Plan::of(one, two, 0).seen;
        assert_eq!(seen(&one, &two), seen(&one, &two));
        assert_ne!(seen(&one, &two), seen(&two, &one));
        let changed = customer(2, Some("t@example.com"), None, false);
        assert_ne!(seen(&one, &two), seen(&one, &changed));
    }
}
