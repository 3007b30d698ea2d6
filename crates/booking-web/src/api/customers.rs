//! The customers of a business, for its own programs.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::page;
use crate::app::App;
use crate::error::Fault;
use crate::key::{Program, Scope};
use crate::store::privacy::Viewer;
use crate::store::{self, diary, instant};

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Question {
    /// Only the one with this address.
    #[serde(default)]
    email: Option<String>,
    /// How many rows, from 1 to 100; 50 where it is left out.
    #[serde(default)]
    #[param(value_type = Option<u8>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// The `next` of the page before.
    #[serde(default)]
    cursor: Option<String>,
}

/// Customers in the order of their coming.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Customers {
    customers: Vec<CustomerEntry>,
    /// The `cursor` of the following page, where there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A customer.
#[derive(Debug, Serialize, ToSchema)]
struct CustomerEntry {
    #[schema(format = "uuid")]
    id: String,
    name: String,
    /// Whoever rang or walked in may have none.
    email: Option<String>,
    phone: Option<String>,
    /// The language that they chose, such as `af`.
    language: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
}

/// Answers `GET /api/v1/businesses/{business}/customers`.
#[utoipa::path(
    get,
    path = "/api/v1/businesses/{business}/customers",
    tag = "Business",
    summary = "The customers of a business",
    params(Question),
    responses((status = 200, description = "One page of customers", body = Customers)),
    security(("key" = ["read:customers"]))
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    program: Program,
    query: Result<Query<Question>, QueryRejection>,
) -> Result<Json<Customers>, Fault> {
    program.must(Scope::ReadCustomers)?;
    let Query(question) = query?;
    let mut problems = Vec::new();
    let behind = page::kept(page::behind(question.cursor.as_deref()), &mut problems);
    let limit = page::kept(page::limit(question.limit.as_deref()), &mut problems);
    if !problems.is_empty() {
        return Err(Fault::Fields(problems));
    }
    let behind = behind.map(|(_, id)| id);
    let email = question.email.as_deref().map(str::to_lowercase);
    let mut transaction = store::begin(&app.appointments.pool, program.business.id).await?;
    let email = email.as_deref();
    let mut rows = diary::customers(&mut transaction, email, behind, limit + 1).await?;
    let is_more = rows.len() > usize::try_from(limit).unwrap_or_default();
    if is_more {
        rows.pop();
    }
    let shown: Vec<_> = rows.iter().map(|row| row.id).collect();
    let viewer = Viewer::Program(program.id);
    app.shown_to(&mut transaction, program.business.id, viewer, &shown)
        .await?;
    transaction.commit().await?;
    let last = rows.last().filter(|_| is_more);
    Ok(Json(Customers {
        next: last.map(|last| page::cursor(Timestamp::UNIX_EPOCH, last.id)),
        customers: rows
            .into_iter()
            .map(|row| CustomerEntry {
                id: row.id.to_string(),
                name: row.name,
                email: row.email,
                phone: row.phone,
                language: row.locale,
                created_at: instant(row.created_at).to_string(),
            })
            .collect(),
    }))
}
