//! Who asks for a page of the desk. A handler that takes [`Member`] is reached only by
//! somebody who is signed in and belongs to the business in the address; everybody else is
//! sent to sign in, or told that there is nothing. What they may do there, it asks
//! [`Member::may`].

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, Path};
use booking::{Right, Role};
use http::header::{HOST, REFERER};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Uri};
use jiff::Timestamp;
use uuid::Uuid;

use super::session::{self, Stage};
use crate::app::App;
use crate::desk::Business;
use crate::error::Fault;
use crate::store;
use crate::store::account::Account;
use crate::store::session::Session;

/// Somebody who is signed in, at no business in particular.
pub(crate) struct SignedIn {
    pub(crate) account: Account,
    pub(crate) session: Session,
    /// The address to come back to.
    next: String,
    now: Timestamp,
}

/// Somebody who is signed in, at a business that they belong to.
pub(crate) struct Member {
    pub(crate) account: Account,
    pub(crate) business: Business,
    pub(crate) role: Role,
    /// Who they are in the calendar, if they are in it.
    pub(crate) staff: Option<Uuid>,
    pub(crate) session: Session,
    next: String,
    now: Timestamp,
}

impl Member {
    /// Whether their role includes the right.
    pub(crate) fn may(&self, right: Right) -> bool {
        self.role.may(right)
    }

    /// Goes on only where their role includes the right.
    pub(crate) fn must(&self, right: Right) -> Result<(), Fault> {
        if self.may(right) {
            Ok(())
        } else {
            Err(Fault::Forbidden)
        }
    }

    /// Goes on only where the password was given within the last minutes: for members,
    /// keys, codes and erasure.
    pub(crate) fn must_be_fresh(&self) -> Result<(), Fault> {
        fresh(&self.session, &self.next, self.now)
    }
}

impl SignedIn {
    /// Goes on only where the password was given within the last minutes.
    pub(crate) fn must_be_fresh(&self) -> Result<(), Fault> {
        fresh(&self.session, &self.next, self.now)
    }
}

fn fresh(session: &Session, next: &str, now: Timestamp) -> Result<(), Fault> {
    if session::is_fresh(session, now) {
        Ok(())
    } else {
        Err(Fault::PasswordAgain(next.to_owned()))
    }
}

impl<S> FromRequestParts<S> for SignedIn
where
    Arc<App>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let app = Arc::<App>::from_ref(state);
        let accounts = &app.accounts;
        let next = next(&parts.method, &parts.uri, &parts.headers);
        let mut transaction = store::begin_unscoped(&accounts.pool).await?;
        let found = accounts
            .session(&mut transaction, &parts.headers, Stage::SignedIn)
            .await?;
        let Some(session) = found else {
            return Err(Fault::SignIn(next));
        };
        let account = store::account::by_id(&mut transaction, session.account).await?;
        let Some(account) = account else {
            return Err(Fault::SignIn(next));
        };
        if accounts.seen(&mut transaction, &session).await? {
            transaction.commit().await?;
        } else {
            transaction.rollback().await?;
        }
        Ok(Self {
            account,
            session,
            next,
            now: accounts.clock.now(),
        })
    }
}

impl<S> FromRequestParts<S> for Member
where
    Arc<App>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let app = Arc::<App>::from_ref(state);
        let signed_in = SignedIn::from_request_parts(parts, state).await?;
        let Path(named) = Path::<HashMap<String, String>>::from_request_parts(parts, state).await?;
        let slug = named.get("business").ok_or(Fault::NotFound)?;
        let business = app.business(slug).await?;
        let account = signed_in.account.id;
        let mut transaction = store::begin(&app.accounts.pool, business.id).await?;
        let found = store::membership::find(&mut transaction, business.id, account).await?;
        transaction.rollback().await?;
        // Whoever does not belong there is not told that there is a desk.
        let membership = found.ok_or(Fault::NotFound)?;
        let role = Role::parse(&membership.role)
            .ok_or_else(|| Fault::Broken(anyhow::anyhow!("a membership in an unknown role")))?;
        Ok(Self {
            account: signed_in.account,
            business,
            role,
            staff: membership.staff,
            session: signed_in.session,
            next: signed_in.next,
            now: signed_in.now,
        })
    }
}

/// Where to come back to: a form is not sent again, its page is opened. Where the browser
/// does not say which page that was, it is the first one of the desk or of the account.
fn next(method: &Method, uri: &Uri, headers: &HeaderMap) -> String {
    if let (&Method::GET, Some(address)) = (method, uri.path_and_query()) {
        return address.as_str().to_owned();
    }
    page_of_form(headers).unwrap_or_else(|| {
        let mut parts = uri.path().split('/').skip(1);
        match (parts.next(), parts.next()) {
            (Some("desk"), Some(business)) => format!("/desk/{business}"),
            _ => "/account".to_owned(),
        }
    })
}

/// The page of ours from which a form was sent.
fn page_of_form(headers: &HeaderMap) -> Option<String> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let page: Uri = text(REFERER)?.parse().ok()?;
    let is_ours = page.authority()?.as_str() == text(HOST)?;
    let address = page.path_and_query()?.as_str();
    safe_next(address).filter(|_| is_ours).map(str::to_owned)
}

/// An address within the site that somebody may be sent on to; none for any other.
pub(crate) fn safe_next(next: &str) -> Option<&str> {
    let is_ours = ["/desk/", "/account", "/invitation/"]
        .iter()
        .any(|begin| next.starts_with(begin));
    let is_plain = next.len() <= 512
        && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
        && !next.contains("//");
    (is_ours && is_plain).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_on_to_another_site() {
        assert_eq!(
            safe_next("/desk/karoo-cuts?day=1"),
            Some("/desk/karoo-cuts?day=1")
        );
        for foreign in [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example/desk/",
            "/desk//evil.example",
            "/desk/\r\nset-cookie: a=b",
            "/sign-out",
            "",
        ] {
            assert_eq!(safe_next(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn after_signing_in_a_page_is_opened_and_no_form_sent_again() {
        let after = |method: Method, address: &str, from: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("booking.example"));
            if let Some(from) = from {
                headers.insert(REFERER, HeaderValue::from_static(from));
            }
            next(&method, &address.parse().unwrap(), &headers)
        };
        let day = "/desk/karoo-cuts/day?date=2027-03-24";
        assert_eq!(after(Method::GET, day, None), day);
        let form = "/desk/karoo-cuts/hours/1/differ";
        let page = Some("https://booking.example/desk/karoo-cuts/hours/1?a=b");
        assert_eq!(
            after(Method::POST, form, page),
            "/desk/karoo-cuts/hours/1?a=b"
        );
        for elsewhere in [
            None,
            Some("https://evil.example/desk/karoo-cuts/hours/1"),
            Some("https://booking.example//evil.example"),
            Some("nonsense"),
        ] {
            assert_eq!(after(Method::POST, form, elsewhere), "/desk/karoo-cuts");
        }
        assert_eq!(after(Method::POST, "/account/sessions", None), "/account");
    }
}
