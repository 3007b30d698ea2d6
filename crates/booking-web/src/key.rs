//! Keys with which programs act for a business. A handler that takes [`Program`] is reached
//! only with a key of the business in the address; what the key allows, it asks
//! [`Program::must`]. A key is shown once, when it is made; only its hash is kept.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, Path};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use jiff::Timestamp;
use uuid::Uuid;

use crate::account::token_hash;
use crate::app::App;
use crate::desk::Business;
use crate::error::Fault;
use crate::store::api_key::{self, ApiKey, NewKey};
use crate::store::record::Audit;
use crate::store::{self, instant};

/// What a key begins with, so that one that was published by mistake is found.
const MARK: &str = "bk_";
const PREFIX_CHARS: usize = 8;

/// What a key can allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// To see the bookings.
    ReadBookings,
    /// To call bookings off.
    WriteBookings,
    /// To see who the customers are.
    ReadCustomers,
    /// To make and revoke keys that allow no more than this one.
    ManageKeys,
    /// To make and revoke addresses of calendars.
    ManageFeeds,
    /// To add webhooks and switch them off.
    ManageWebhooks,
}

impl Scope {
    pub(crate) const ALL: [Self; 6] = [
        Self::ReadBookings,
        Self::WriteBookings,
        Self::ReadCustomers,
        Self::ManageKeys,
        Self::ManageFeeds,
        Self::ManageWebhooks,
    ];

    /// Its name in the database and for programs.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ReadBookings => "read:bookings",
            Self::WriteBookings => "write:bookings",
            Self::ReadCustomers => "read:customers",
            Self::ManageKeys => "manage:keys",
            Self::ManageFeeds => "manage:feeds",
            Self::ManageWebhooks => "manage:webhooks",
        }
    }

    /// The scope of that name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

/// A program with a key, at the business that it acts for.
pub(crate) struct Program {
    pub(crate) business: Business,
    /// Of the key.
    pub(crate) id: Uuid,
    scopes: Vec<Scope>,
}

impl Program {
    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Goes on only where the key allows it.
    pub(crate) fn must(&self, scope: Scope) -> Result<(), Fault> {
        if self.may(scope) {
            Ok(())
        } else {
            Err(Fault::Forbidden)
        }
    }
}

impl<S> FromRequestParts<S> for Program
where
    Arc<App>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let app = Arc::<App>::from_ref(state);
        let hash = token_hash(bearer(&parts.headers).ok_or(Fault::KeyNeeded)?);
        let now = app.clock.now();
        let mut transaction = store::begin_unscoped(&app.appointments.pool).await?;
        store::account::hold(&mut transaction, &hash).await?;
        let key = api_key::find(&mut transaction, &hash).await?;
        let key = key
            .filter(|key| is_good(key, now))
            .ok_or(Fault::KeyNeeded)?;
        store::scope(&mut transaction, key.business_id).await?;
        api_key::used(&mut transaction, key.id, now).await?;
        let row = store::business::by_id(&mut transaction, key.business_id).await?;
        transaction.commit().await?;
        app.within_key(&parts.extensions, key.id).await?;
        let business = Business::of(row.ok_or(Fault::KeyNeeded)?)?;
        let Path(named) = Path::<HashMap<String, String>>::from_request_parts(parts, state).await?;
        // A neighbour is not told apart from nobody.
        if named.get("business") != Some(&business.slug) {
            return Err(Fault::NotFound);
        }
        Ok(Self {
            business,
            id: key.id,
            scopes: key
                .scopes
                .iter()
                .filter_map(|name| Scope::parse(name))
                .collect(),
        })
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && key.starts_with(MARK)).then_some(key)
}

fn is_good(key: &ApiKey, now: Timestamp) -> bool {
    key.revoked_at.is_none() && key.expires_at.is_none_or(|end| now < instant(end))
}

/// A key that is wanted.
pub(crate) struct KeyWish<'a> {
    pub(crate) name: &'a str,
    pub(crate) scopes: &'a [Scope],
    pub(crate) expires_at: Option<Timestamp>,
}

/// A key that was made; nobody can show its secret again.
pub(crate) struct MadeKey {
    pub(crate) id: Uuid,
    pub(crate) prefix: String,
    pub(crate) secret: String,
}

impl App {
    /// The keys of a business, also those that were revoked.
    pub(crate) async fn keys(&self, business: Uuid) -> Result<Vec<ApiKey>, Fault> {
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        let keys = api_key::all(&mut transaction).await?;
        transaction.rollback().await?;
        Ok(keys)
    }

    /// Makes a key for a business. Who may do so is checked before; `by` is the account or
    /// the key of who does.
    pub(crate) async fn make_key(
        &self,
        business: Uuid,
        wish: &KeyWish<'_>,
        by: Uuid,
    ) -> Result<MadeKey, Fault> {
        let now = self.clock.now();
        let shown: String = self.random.token().chars().take(PREFIX_CHARS).collect();
        let prefix = format!("{MARK}{shown}");
        let secret = format!("{prefix}_{}", self.random.token());
        let id = self.random.uuid(now);
        let scopes: Vec<_> = wish.scopes.iter().map(|s| s.as_str().to_owned()).collect();
        let new = NewKey {
            id,
            business,
            name: wish.name,
            prefix: &prefix,
            secret_hash: &token_hash(&secret),
            scopes: &scopes,
            expires_at: wish.expires_at,
            now,
        };
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        api_key::insert(&mut transaction, &new).await?;
        self.note(&mut transaction, business, by, ("key.made", id))
            .await?;
        transaction.commit().await?;
        Ok(MadeKey { id, prefix, secret })
    }

    /// Revokes a key; revoking again changes nothing.
    pub(crate) async fn revoke_key(&self, business: Uuid, id: Uuid, by: Uuid) -> Result<(), Fault> {
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        let keys = api_key::all(&mut transaction).await?;
        if !keys.iter().any(|key| key.id == id) {
            return Err(Fault::NotFound);
        }
        if api_key::revoke(&mut transaction, id, self.clock.now()).await? {
            self.note(&mut transaction, business, by, ("key.revoked", id))
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Writes into the audit what was done to the keys or calendars of a business.
    pub(crate) async fn note(
        &self,
        connection: &mut sqlx::PgConnection,
        business: Uuid,
        by: Uuid,
        (action, subject): (&str, Uuid),
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let audit = Audit {
            id: self.random.uuid(now),
            business,
            actor: "business",
            actor_id: Some(by),
            action,
            subject,
            before: None,
            after: None,
            now,
        };
        store::record::audit_change(connection, &audit).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_key_comes_as_a_bearer_token_and_looks_like_one() {
        for (value, expected) in [
            ("Bearer bk_abc", Some("bk_abc")),
            ("bearer  bk_abc ", Some("bk_abc")),
            ("Basic bk_abc", None),
            ("Bearer abc", None),
            ("bk_abc", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
            assert_eq!(bearer(&headers), expected, "{value}");
        }
    }

    #[test]
    fn every_scope_has_a_name_of_its_own() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
        }
        assert_eq!(Scope::parse("read:everything"), None);
    }
}
