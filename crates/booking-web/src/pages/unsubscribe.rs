//! No more reminders, for whoever holds the link of one, without signing in. A link alone
//! changes nothing; mail programs press the button themselves (RFC 8058), from no page and
//! with no cookie, so the secret in the address is all that is asked for.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::address::Path;
use crate::app::App;
use crate::error::Fault;
use crate::language::Wanted;
use crate::links::Reminders;
use crate::pages::{Site, render};
use crate::subscription::Subscription;

#[derive(Template)]
#[template(path = "unsubscribe.html")]
pub(super) struct UnsubscribePage<'a> {
    pub(super) site: Site<'a>,
    pub(super) token: &'a str,
    pub(super) business: &'a str,
    pub(super) reminders: Reminders,
    pub(super) is_done: bool,
}

/// Answers `GET /unsubscribe/{token}`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    wanted: Wanted,
) -> Result<Response, Fault> {
    let subscription = app.subscription(&token).await?;
    page(&app, &token, wanted, &subscription, subscription.is_over)
}

/// Answers `POST /unsubscribe/{token}`, whatever is in its body. Sent twice, it does it once.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    wanted: Wanted,
) -> Result<Response, Fault> {
    let subscription = app.subscription(&token).await?;
    app.end_subscription(&subscription).await?;
    page(&app, &token, wanted, &subscription, true)
}

fn page(
    app: &App,
    token: &str,
    wanted: Wanted,
    subscription: &Subscription,
    is_done: bool,
) -> Result<Response, Fault> {
    render(&UnsubscribePage {
        site: Site::of(app, wanted.at(subscription.language)),
        token,
        business: &subscription.business,
        reminders: subscription.reminders,
        is_done,
    })
}
