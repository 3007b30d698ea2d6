//! The calendars of a business at secret addresses: made, shown once, given another address,
//! switched off.

use askama::Template;
use axum::response::Response;
use booking::Right;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::{Desk, Frame, Here};
use crate::address::Path;
use crate::error::Fault;
use crate::feed::Names;
use crate::language::{Language, Text};
use crate::pages::{Site, words};
use crate::security::CheckedForm;
use crate::store;
use crate::store::feed::Feed;
use crate::store::instant;

/// A calendar in words.
pub(super) struct Line {
    pub(super) id: Uuid,
    pub(super) whose: String,
    pub(super) names: String,
    pub(super) made: String,
}

/// Something to choose.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) words: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct FeedForm {
    /// Nobody's: everybody's.
    #[serde(default)]
    staff: String,
    #[serde(default)]
    names: String,
}

/// What is done to one: `renew` or `revoke`.
#[derive(Debug, Deserialize)]
pub(crate) struct ActForm {
    #[serde(default)]
    action: String,
}

#[derive(Template)]
#[template(path = "desk/feeds.html")]
pub(super) struct FeedsPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) feeds: Vec<Line>,
    pub(super) staff: Vec<Choice>,
    pub(super) names: Vec<Choice>,
    /// The address that was made just now.
    pub(super) made: Option<String>,
}

fn names_words(language: Language, names: Names) -> Text {
    match names {
        Names::Short => language.text("feeds-names-short"),
        Names::Initials => language.text("feeds-names-initials"),
        Names::None => language.text("feeds-names-none"),
    }
}

/// Answers `GET /desk/{business}/feeds`.
pub(crate) async fn get(desk: Desk) -> Result<Response, Fault> {
    desk.must(Right::ManageKeys)?;
    desk.show(&page(&desk, None).await?)
}

/// Answers `POST /desk/{business}/feeds`.
pub(crate) async fn create(desk: Desk, form: CheckedForm<FeedForm>) -> Result<Response, Fault> {
    desk.must(Right::ManageKeys)?;
    desk.member.must_be_fresh()?;
    let (form, _) = form.open();
    let staff = match form.staff.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| Fault::NotFound)?),
    };
    let names = Names::parse(&form.names).unwrap_or(Names::Short);
    let address = made(&desk, staff, names).await?;
    desk.show_as(StatusCode::CREATED, &page(&desk, Some(address)).await?)
}

/// Answers `POST /desk/{business}/feeds/{feed}`: another address, or none.
pub(crate) async fn act(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
    form: CheckedForm<ActForm>,
) -> Result<Response, Fault> {
    desk.must(Right::ManageKeys)?;
    let (form, _) = form.open();
    let (business, by) = (desk.member.business.id, desk.member.account.id);
    if form.action != "renew" {
        desk.app.revoke_feed(business, id, by).await?;
        return Ok(desk.on_to("/feeds", "saved"));
    }
    desk.member.must_be_fresh()?;
    let feeds = desk.app.feeds(business).await?;
    let feed = feeds
        .into_iter()
        .find(|feed| feed.id == id && feed.revoked_at.is_none());
    let feed = feed.ok_or(Fault::NotFound)?;
    let names = Names::parse(&feed.names).unwrap_or(Names::None);
    let address = made(&desk, feed.staff_id, names).await?;
    desk.app.revoke_feed(business, id, by).await?;
    desk.show_as(StatusCode::CREATED, &page(&desk, Some(address)).await?)
}

/// Makes a calendar; its address is whole, for a program elsewhere.
async fn made(desk: &Desk, staff: Option<Uuid>, names: Names) -> Result<String, Fault> {
    let (business, by) = (desk.member.business.id, desk.member.account.id);
    let made = desk.app.make_feed(business, staff, names, by).await?;
    let (_, path) = made.ok_or(Fault::NotFound)?;
    Ok(format!("{}{path}", desk.origin))
}

async fn page(desk: &Desk, made: Option<String>) -> Result<FeedsPage<'_>, Fault> {
    let language = desk.language();
    let mut transaction = desk.begin().await?;
    let staff = store::offer::staff(&mut transaction, desk.now()).await?;
    transaction.rollback().await?;
    let feeds = desk.app.feeds(desk.member.business.id).await?;
    let whose = |feed: &Feed| match feed.staff_id {
        Some(id) => staff.iter().find(|person| person.id == id),
        None => None,
    };
    let moment =
        |at: Timestamp| words::moment(language, &at.to_zoned_datetime(desk.zone().clone()));
    let line = |feed: Feed| Line {
        id: feed.id,
        whose: whose(&feed).map_or_else(
            || language.text("feeds-everybody").to_string(),
            |person| person.name.clone(),
        ),
        names: Names::parse(&feed.names).map_or_else(String::new, |names| {
            names_words(language, names).to_string()
        }),
        made: moment(instant(feed.created_at)),
    };
    let names = Names::ALL.map(|names| Choice {
        value: names.as_str().to_owned(),
        words: names_words(language, names).to_string(),
    });
    Ok(FeedsPage {
        site: desk.site(),
        desk: desk.frame(Here::Programs),
        feeds: feeds
            .into_iter()
            .filter(|feed| feed.revoked_at.is_none())
            .map(line)
            .collect(),
        staff: staff
            .iter()
            .filter(|person| person.is_active)
            .map(|person| Choice {
                value: person.id.to_string(),
                words: person.name.clone(),
            })
            .collect(),
        names: names.into(),
        made,
    })
}
