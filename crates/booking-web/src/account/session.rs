//! The session of a signed-in browser: begun, found, ended. Its cookie holds 128 bits that
//! are stored as a hash; a change of rights gives it others.

use http::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Accounts, token_hash};
use crate::security::cookie;
use crate::store;
use crate::store::session::{NewSession, Renewal, Session};

/// So long without a click, as level 2 of ASVS has it.
const IDLE: SignedDuration = SignedDuration::from_mins(30);
/// After so long everybody signs in again: once a working day.
const ABSOLUTE: SignedDuration = SignedDuration::from_hours(12);
/// The second step of signing in must be taken within so long.
const OWES_CODE: SignedDuration = SignedDuration::from_mins(10);
/// What is looked at more often than this is written down as once.
const SEEN_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// The password counts as just given for so long.
const FRESH: SignedDuration = SignedDuration::from_mins(10);
const AGENT_CHARS_MAX: usize = 100;

/// How far somebody has come with signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The password was right; the code is still to come.
    OwesCode,
    SignedIn,
}

impl Stage {
    fn as_str(self) -> &'static str {
        match self {
            Self::OwesCode => "owes_code",
            Self::SignedIn => "signed_in",
        }
    }
}

/// Over HTTPS the prefix makes browsers refuse the cookie from another host.
fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-session" } else { "session" }
}

/// What the browser says of its session.
pub(crate) fn token(headers: &HeaderMap, secure: bool) -> Option<&str> {
    cookie::read(headers, cookie_name(secure))
}

/// The cookie that ends it in the browser.
pub(crate) fn gone(secure: bool) -> HeaderValue {
    cookie::write(cookie_name(secure), "", Some(0), secure)
}

/// Whether the session counts at `now`, for this stage.
fn is_live(session: &Session, stage: Stage, now: Timestamp) -> bool {
    session.state == stage.as_str() && now < session.expires_at && is_used(session.seen_at, now)
}

/// Whether somebody used it lately enough.
pub(crate) fn is_used(seen_at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(seen_at) < IDLE
}

/// Whether the password was given, or the session begun with a passkey, so lately that what
/// is dear may be changed.
pub(crate) fn is_fresh(session: &Session, now: Timestamp) -> bool {
    now.duration_since(session.password_at) < FRESH
}

impl Accounts {
    /// Begins a session for the account in scope, and gives the cookie for it.
    pub(crate) async fn begin_session(
        &self,
        connection: &mut PgConnection,
        account: Uuid,
        stage: Stage,
        headers: &HeaderMap,
    ) -> sqlx::Result<HeaderValue> {
        let now = self.clock.now();
        let (token, agent) = (self.random.token(), agent(headers));
        let lasts = match stage {
            Stage::OwesCode => OWES_CODE,
            Stage::SignedIn => ABSOLUTE,
        };
        let new = NewSession {
            id: self.random.uuid(now),
            token_hash: &token_hash(&token),
            account,
            state: stage.as_str(),
            agent: &agent,
            now,
            expires_at: now.checked_add(lasts).unwrap_or(now),
        };
        store::session::insert(connection, &new).await?;
        Ok(cookie::write(
            cookie_name(self.secure),
            &token,
            None,
            self.secure,
        ))
    }

    /// Gives a session of the account in scope another secret, because its rights change:
    /// the code was given, or the password again.
    pub(crate) async fn renew_session(
        &self,
        connection: &mut PgConnection,
        session: &Session,
    ) -> sqlx::Result<HeaderValue> {
        let (now, token) = (self.clock.now(), self.random.token());
        // A session that is whole keeps its end; one that owed a code begins now.
        let expires_at = if session.state == Stage::SignedIn.as_str() {
            session.expires_at
        } else {
            now.checked_add(ABSOLUTE).unwrap_or(now)
        };
        let renewal = Renewal {
            token_hash: &token_hash(&token),
            state: Stage::SignedIn.as_str(),
            password_at: now,
            expires_at,
            now,
        };
        store::session::renew(connection, session.id, &renewal).await?;
        let name = cookie_name(self.secure);
        Ok(cookie::write(name, &token, None, self.secure))
    }

    /// The live session of the browser, whose account is in scope from then on.
    pub(crate) async fn session(
        &self,
        connection: &mut PgConnection,
        headers: &HeaderMap,
        stage: Stage,
    ) -> sqlx::Result<Option<Session>> {
        let Some(token) = token(headers, self.secure) else {
            return Ok(None);
        };
        let found = store::session::find(connection, &token_hash(token)).await?;
        let now = self.clock.now();
        Ok(found.filter(|session| is_live(session, stage, now)))
    }

    /// Writes down that the session is used, now and then.
    pub(crate) async fn seen(
        &self,
        connection: &mut PgConnection,
        session: &Session,
    ) -> sqlx::Result<bool> {
        let now = self.clock.now();
        if now.duration_since(session.seen_at) < SEEN_EVERY {
            return Ok(false);
        }
        store::session::seen(connection, session.id, now).await?;
        Ok(true)
    }

    /// Ends the session of this browser, if it has one.
    pub(crate) async fn sign_out(&self, headers: &HeaderMap) -> sqlx::Result<()> {
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        self.end_session_of(&mut transaction, headers).await?;
        transaction.commit().await
    }

    /// Ends it within a transaction, whose account in scope is then that of the session.
    pub(super) async fn end_session_of(
        &self,
        connection: &mut PgConnection,
        headers: &HeaderMap,
    ) -> sqlx::Result<()> {
        let Some(token) = token(headers, self.secure) else {
            return Ok(());
        };
        let found = store::session::find(connection, &token_hash(token)).await?;
        if let Some(session) = found {
            store::session::end(connection, session.id).await?;
        }
        Ok(())
    }
}

/// The browser and the system in two words, as far as it says; for the list of sessions.
pub(crate) fn agent(headers: &HeaderMap) -> String {
    let text = headers
        .get(http::header::USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
        .unwrap_or_default();
    let first = |names: &[(&str, &'static str)]| {
        let found = names.iter().find(|(sign, _)| text.contains(sign));
        found.map(|(_, name)| *name)
    };
    let browser = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Firefox", "Firefox"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "Mac"),
        ("Linux", "Linux"),
    ]);
    let words = match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "Another program".to_owned(),
    };
    words.chars().take(AGENT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(now: Timestamp) -> Session {
        Session {
            id: Uuid::nil(),
            account: Uuid::nil(),
            state: "signed_in".to_owned(),
            seen_at: now,
            expires_at: now + ABSOLUTE,
            password_at: now,
        }
    }

    #[test]
    fn a_session_ends_when_nobody_uses_it_and_at_last_in_any_case() {
        let now: Timestamp = "2027-03-24T08:00:00Z".parse().unwrap();
        let live = |session: &Session, at| is_live(session, Stage::SignedIn, at);
        let idle = session(now);
        let second = SignedDuration::from_secs(1);
        assert!(live(&idle, now + IDLE - second));
        assert!(!live(&idle, now + IDLE));
        let used = Session {
            seen_at: now + ABSOLUTE - second,
            ..session(now)
        };
        assert!(live(&used, now + ABSOLUTE - second));
        assert!(!live(&used, now + ABSOLUTE));
        assert!(!is_live(&idle, Stage::OwesCode, now), "another stage");
    }

    #[test]
    fn a_password_is_fresh_for_ten_minutes() {
        let now: Timestamp = "2027-03-24T08:00:00Z".parse().unwrap();
        let session = session(now);
        assert!(is_fresh(&session, now + SignedDuration::from_secs(599)));
        assert!(!is_fresh(&session, now + SignedDuration::from_secs(600)));
    }

    #[test]
    fn a_browser_is_told_in_two_words_and_nothing_that_it_made_up() {
        let agent = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(http::header::USER_AGENT, HeaderValue::from_static(text));
            agent(&headers)
        };
        let phone = "Mozilla/5.0 (Linux; Android 14) Chrome/120.0 Mobile Safari/537.36";
        assert_eq!(agent(phone), "Chrome on Android");
        assert_eq!(agent("<b>curl</b>"), "Another program");
    }
}
