//! Links by mail: made here, sent by a worker, used once. Following one changes nothing,
//! because mail scanners follow links; the page behind it asks.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Accounts, token_hash};
use crate::error::Fault;
use crate::store;
use crate::store::account::Account;
use crate::store::mail::{Link, NewMail};

/// What a link lets its holder do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    ConfirmEmail,
    ResetPassword,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::ConfirmEmail => "confirm_email",
            Self::ResetPassword => "reset_password",
        }
    }

    fn mail(self) -> &'static str {
        match self {
            Self::ConfirmEmail => "account.confirm",
            Self::ResetPassword => "account.reset",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::ConfirmEmail => "/confirm/",
            Self::ResetPassword => "/reset/",
        }
    }

    fn lasts(self) -> SignedDuration {
        match self {
            Self::ConfirmEmail => SignedDuration::from_hours(7 * 24),
            Self::ResetPassword => SignedDuration::from_mins(30),
        }
    }
}

/// What the worker is told, besides the kind of mail.
#[derive(Serialize)]
struct Content<'a> {
    name: &'a str,
    path: &'a str,
    business: &'a str,
}

impl Accounts {
    /// Makes a link for the account in scope and plans the mail that brings it.
    pub(crate) async fn send_link(
        &self,
        connection: &mut PgConnection,
        account: &Account,
        purpose: Purpose,
    ) -> Result<(), Fault> {
        let (now, token) = (self.clock.now(), self.random.token());
        let expires_at = now.checked_add(purpose.lasts()).unwrap_or(now);
        let hash = token_hash(&token);
        let name = purpose.as_str();
        store::mail::insert_link(connection, &hash, account.id, name, (now, expires_at)).await?;
        let path = format!("{}{token}", purpose.path());
        let content = (account.name.as_str(), path.as_str(), "");
        self.plan(
            connection,
            purpose.mail(),
            &account.email,
            content,
            expires_at,
        )
        .await
    }

    /// Plans a mail to somebody, with their name, a path to follow, and a business.
    pub(crate) async fn plan(
        &self,
        connection: &mut PgConnection,
        kind: &str,
        to: &str,
        (name, path, business): (&str, &str, &str),
        expires_at: Timestamp,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let content = Content {
            name,
            path,
            business,
        };
        let content = serde_json::to_string(&content)
            .map_err(|error| Fault::Broken(anyhow::Error::new(error).context("planning a mail")))?;
        let mail = NewMail {
            id: self.random.uuid(now),
            kind,
            to,
            content: &content,
            now,
            expires_at,
        };
        store::mail::plan(connection, &mail).await?;
        Ok(())
    }

    /// What a link is for, where it still counts; its account is in scope from then on.
    pub(crate) async fn link(
        &self,
        connection: &mut PgConnection,
        token: &str,
        purpose: Purpose,
    ) -> sqlx::Result<Option<Link>> {
        let now = self.clock.now();
        let found = store::mail::find_link(connection, &token_hash(token)).await?;
        Ok(found.filter(|link| {
            link.purpose == purpose.as_str() && !link.is_used && now < link.expires_at
        }))
    }

    /// Whether the link still counts. Changes nothing.
    pub(crate) async fn is_live(&self, token: &str, purpose: Purpose) -> Result<bool, Fault> {
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let found = self.link(&mut transaction, token, purpose).await?;
        transaction.rollback().await?;
        Ok(found.is_some())
    }

    /// The id under which something that has none yet is written down.
    pub(crate) fn new_id(&self) -> Uuid {
        self.random.uuid(self.clock.now())
    }
}
