//! What somebody asks under the law, from the form to the answer. A stranger learns nothing:
//! asking is answered the same for every address, and what is kept is shown only to whoever
//! reads the mail of that address.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{clock, erasure, notice};
use crate::account::token_hash;
use crate::app::App;
use crate::desk::Business;
use crate::error::Fault;
use crate::intake::{self, Problem};
use crate::language::{Language, message};
use crate::store;
use crate::store::outbox::{self, NewMessage};
use crate::store::person::Rows;
use crate::store::record;
use crate::store::request::{self as kept, NewRequest, Request};

/// How long the link in the mail works.
const LINK_FOR: SignedDuration = SignedDuration::from_hours(48);
/// So many mails go to one address in a day; more would be a way to annoy somebody.
const MAILS_A_DAY: i64 = 3;
const DETAILS_CHARS_MAX: usize = 2000;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Access,
    Correction,
    Erasure,
    Objection,
}

impl Kind {
    /// All there are.
    pub(crate) const ALL: [Self; 4] = [
        Self::Access,
        Self::Correction,
        Self::Erasure,
        Self::Objection,
    ];

    /// Its name in the database and in forms.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Correction => "correction",
            Self::Erasure => "erasure",
            Self::Objection => "objection",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// The form as it was sent.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct SentAsk {
    #[serde(default)]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) email: String,
    #[serde(default)]
    pub(crate) details: String,
}

/// The form after it was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) kind: Kind,
    pub(crate) email: String,
    pub(crate) details: Option<String>,
}

/// Checks the form, or names every field that needs another value.
pub(crate) fn check(sent: &SentAsk) -> Result<Asked, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut keep = |field, detail| problems.push(Problem { field, detail });
    let kind = Kind::parse(&sent.kind);
    if kind.is_none() {
        keep("kind", message("field-request-kind-missing"));
    }
    let email = intake::email(&sent.email).unwrap_or_else(|detail| {
        keep("email", detail);
        String::new()
    });
    let details = intake::text_of_at_most(DETAILS_CHARS_MAX, &sent.details);
    let details = details.unwrap_or_else(|detail| {
        keep("details", detail);
        None
    });
    match kind {
        Some(kind) if problems.is_empty() => Ok(Asked {
            kind,
            email,
            details,
        }),
        _ => Err(problems),
    }
}

/// What becomes of a request that was confirmed.
pub(crate) enum Confirmed {
    /// It is answered by then.
    Open(Timestamp),
    /// It is answered now.
    Copy(Vec<Rows>),
    /// Nothing is kept under that address, which is the answer.
    Nothing,
}

impl App {
    /// The notice of a business, in a language.
    pub(crate) async fn notice(
        &self,
        business: &Business,
        language: Language,
    ) -> Result<notice::Notice, Fault> {
        let mut transaction = store::begin(&self.appointments.pool, business.id).await?;
        let who = store::notice::responsible(&mut transaction, business.id).await?;
        transaction.rollback().await?;
        Ok(notice::notice(language, &who.ok_or(Fault::NotFound)?))
    }

    /// Takes a request and mails a link to the address that it names. Does and says the same
    /// whether that address is known or not.
    pub(crate) async fn ask(
        &self,
        business: &Business,
        asked: &Asked,
        language: Language,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let (id, token) = (self.random.uuid(now), self.random.token());
        let hash = token_hash(&token);
        let until = now.saturating_add(LINK_FOR).unwrap_or(now);
        let day = SignedDuration::from_hours(24);
        let since = now.saturating_sub(day).unwrap_or(now);
        let mut transaction = store::begin(&self.appointments.pool, business.id).await?;
        // Many at once are counted one after the other.
        kept::lock_address(&mut transaction, business.id, &asked.email).await?;
        if kept::count_since(&mut transaction, &asked.email, since).await? >= MAILS_A_DAY {
            return Ok(());
        }
        let new = NewRequest {
            id,
            business: business.id,
            kind: asked.kind.as_str(),
            channel: "page",
            state: "asked",
            email: Some(&asked.email),
            customer: None,
            details: asked.details.as_deref(),
            language: language.tag(),
            link: Some((hash.as_slice(), until)),
            received: now,
            due: clock::due(now),
        };
        kept::insert(&mut transaction, &new).await?;
        let content = json!({
            "path": format!("/{}/privacy/confirm/{token}", business.slug),
            "business": business.name,
            "language": language.tag(),
        });
        let mail = Mail {
            id: self.random.uuid(now),
            business: business.id,
            request: id,
            kind: "privacy.request",
            to: &asked.email,
            content: &content.to_string(),
        };
        mail.plan(&mut transaction, now, Some(until)).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What was asked for under a secret address that still works.
    pub(crate) async fn asked(&self, business: &Business, token: &str) -> Result<Kind, Fault> {
        let mut transaction = store::begin_unscoped(&self.appointments.pool).await?;
        let request = self.behind(&mut transaction, business, token).await?;
        transaction.rollback().await?;
        Kind::parse(&request.kind).ok_or(Fault::NotFound)
    }

    /// Takes a request as confirmed. A copy of what is kept is given at once, and with that
    /// the request is answered; everything else somebody of the business decides.
    pub(crate) async fn confirm_request(
        &self,
        business: &Business,
        token: &str,
    ) -> Result<Confirmed, Fault> {
        let now = self.clock.now();
        let mut transaction = store::begin_unscoped(&self.appointments.pool).await?;
        let request = self.behind(&mut transaction, business, token).await?;
        let connection = &mut *transaction;
        let email = request.email.as_deref().unwrap_or_default();
        let customer = store::privacy::customer_of(connection, email).await?;
        let kind = Kind::parse(&request.kind).ok_or(Fault::NotFound)?;
        let id = self.random.uuid(now);
        let confirmed = match customer {
            None => {
                let outcome = ("Nothing is kept.", None);
                kept::close(connection, request.id, "done", outcome, None, now).await?;
                Confirmed::Nothing
            }
            Some(customer) if kind == Kind::Access => {
                let rows = erasure::export(connection, customer)
                    .await?
                    .unwrap_or_default();
                let evidence = evidence(&rows);
                let outcome = ("A copy was given.", Some(evidence.as_str()));
                kept::close(connection, request.id, "done", outcome, None, now).await?;
                let action = "customer.copy_given";
                record::audit(
                    connection,
                    id,
                    business.id,
                    "customer",
                    action,
                    customer,
                    now,
                )
                .await?;
                Confirmed::Copy(rows)
            }
            Some(customer) => {
                kept::confirm(connection, request.id, Some(customer), now).await?;
                let action = "customer.asked";
                record::audit(
                    connection,
                    id,
                    business.id,
                    "customer",
                    action,
                    customer,
                    now,
                )
                .await?;
                Confirmed::Open(store::instant(request.due_at))
            }
        };
        transaction.commit().await?;
        Ok(confirmed)
    }

    /// The request behind a secret address of that business, with the business in scope.
    async fn behind(
        &self,
        connection: &mut sqlx::PgConnection,
        business: &Business,
        token: &str,
    ) -> Result<Request, Fault> {
        let found = kept::find(connection, &token_hash(token)).await?;
        let (owner, id) = found.ok_or(Fault::NotFound)?;
        if owner != business.id {
            return Err(Fault::NotFound);
        }
        store::scope(connection, owner).await?;
        let request = kept::lock(connection, id).await?.ok_or(Fault::NotFound)?;
        let works = request.state == "asked"
            && request
                .link_until
                .is_some_and(|until| store::instant(until) > self.clock.now());
        if works {
            Ok(request)
        } else {
            Err(Fault::NotFound)
        }
    }
}

/// What shows later which copy was given, without keeping it.
pub(crate) fn evidence(rows: &[Rows]) -> String {
    let mut hasher = blake3::Hasher::new();
    for rows in rows {
        hasher.update(rows.table.as_bytes());
        hasher.update(rows.json.as_bytes());
    }
    format!("blake3:{}", hasher.finalize().to_hex())
}

/// A mail about a request.
pub(crate) struct Mail<'a> {
    pub(crate) id: Uuid,
    pub(crate) business: Uuid,
    pub(crate) request: Uuid,
    /// `privacy.request` or `privacy.outcome`.
    pub(crate) kind: &'a str,
    pub(crate) to: &'a str,
    pub(crate) content: &'a str,
}

impl Mail<'_> {
    /// Puts it into the outbox, once for each request and kind.
    pub(crate) async fn plan(
        &self,
        connection: &mut sqlx::PgConnection,
        now: Timestamp,
        expires_at: Option<Timestamp>,
    ) -> sqlx::Result<()> {
        let dedupe_key = format!("{}:{}", self.request, self.kind);
        let message = NewMessage {
            id: self.id,
            business: Some(self.business),
            dedupe_key: &dedupe_key,
            channel: "email",
            kind: self.kind,
            booking: None,
            booking_version: None,
            starts_at: None,
            recipient: Some(self.to),
            content: self.content,
            send_after: now,
            expires_at,
        };
        outbox::plan(connection, &message).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_needs_another_value_is_named_at_once() {
        let problems = check(&SentAsk {
            details: "x".repeat(2001),
            ..SentAsk::default()
        })
        .unwrap_err();
        let fields: Vec<_> = problems.iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["kind", "email", "details"]);
        let asked = check(&SentAsk {
            kind: "erasure".into(),
            email: " thandi@example.co.za ".into(),
            details: "  ".into(),
        });
        let expected = Asked {
            kind: Kind::Erasure,
            email: "thandi@example.co.za".into(),
            details: None,
        };
        assert_eq!(asked.unwrap(), expected);
    }
}
