//! The receipt of a rollout: a page to print, and the same as one file to hand on.

use std::sync::Arc;

use anyhow::Context as _;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use slipway_journal::RolloutId;

use crate::console::fault::Fault;
use crate::console::pages::{Section, Site, render};
use crate::console::view::receipt::{ReceiptWords, receipt_words};
use crate::console::{Desk, assets};

#[derive(Template)]
#[template(path = "receipt.html")]
struct ReceiptPage {
    site: Site,
    receipt: ReceiptWords,
}

#[derive(Template)]
#[template(path = "receipt_file.html")]
struct ReceiptFile {
    stylesheet: &'static str,
    receipt: ReceiptWords,
    zone: String,
}

/// Answers `/receipts/{id}`.
pub(crate) async fn get(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    render(&ReceiptPage {
        site: Site::of(&desk, Section::History),
        receipt: look(&desk, &id)?,
    })
}

/// Answers `/receipts/{id}/file`.
pub(crate) async fn file(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let receipt = look(&desk, &id)?;
    let disposition = format!(
        "attachment; filename=\"receipt-{}-{}.html\"",
        receipt.service, receipt.short
    );
    let file = ReceiptFile {
        stylesheet: assets::stylesheet_text(),
        receipt,
        zone: desk.face().zone_name(),
    };
    let html = file.render().context("rendering a receipt as a file")?;
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, html).into_response())
}

fn look(desk: &Desk, id: &str) -> Result<ReceiptWords, Fault> {
    let id: RolloutId = id.parse().map_err(|_| Fault::NotFound)?;
    let face = desk.face();
    let picture = desk.live.picture();
    let rollout = picture.reading.rollout(id).ok_or(Fault::NotFound)?;
    receipt_words(&picture.reading, rollout, &face).ok_or(Fault::NotFound)
}
