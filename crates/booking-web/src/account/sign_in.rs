//! Signing in with an e-mail address and a password. Whether the address has an account
//! shows neither in the answer nor in the work: an attempt is counted first, one hash is
//! computed in any case, and only then it is said yes or no.

use http::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Accounts;
use super::device::Device;
use super::email::Email;
use super::network::Network;
use super::password::Verdict;
use super::session::Stage;
use super::throttle::{self, Attempt};
use crate::error::Fault;
use crate::store;
use crate::store::account::Account;
use crate::store::membership::Place;

/// What becomes of an attempt to sign in.
pub(crate) enum SignedIn {
    /// With the cookies that say so, and where they may go.
    Yes {
        cookies: [HeaderValue; 2],
        places: Vec<Place>,
    },
    /// The password was right; a code is still owed. With the cookie that says so.
    OwesCode(HeaderValue),
    /// The address or the password is not right; which of them is not said.
    No,
    /// It was not looked at; so long must be waited.
    NotYet(SignedDuration),
}

/// One attempt, as it was sent.
pub(crate) struct Try<'a> {
    pub(crate) email: &'a Email,
    pub(crate) password: &'a str,
    pub(crate) network: &'a Network,
    pub(crate) headers: &'a HeaderMap,
}

impl Accounts {
    /// Signs somebody in, or says no.
    pub(crate) async fn sign_in(&self, attempt: &Try<'_>) -> Result<SignedIn, Fault> {
        let now = self.clock.now();
        let device = Device::of(attempt.headers, self.secure, &self.random);
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let account = store::account::find(&mut transaction, attempt.email.as_str()).await?;
        let kept = match &account {
            Some(account) => store::account::password(&mut transaction, account.id).await?,
            None => None,
        };
        let known = account
            .as_ref()
            .and_then(|account| device.known(&self.keys.device, account.id));
        let key = self.attempt_key(attempt.email.as_str(), known, attempt.network);
        if let Some(wait) = self.count_attempt(&mut transaction, &key).await? {
            return Ok(SignedIn::NotYet(wait));
        }
        transaction.commit().await?;
        let verdict = self.passwords.verify(attempt.password, kept.clone());
        match (account, kept, verdict.await?) {
            (Some(account), Some(kept), verdict) if verdict != Verdict::Wrong => {
                let kept = if verdict == Verdict::RightButWeaklyKept {
                    self.keep_better(account.id, attempt.password, kept).await?
                } else {
                    kept
                };
                let shown = (kept.as_str(), key.as_slice());
                self.welcome(account, device, shown, attempt, now).await
            }
            (account, ..) => {
                let account = account.map(|account| account.id);
                self.note(account, "sign-in.failed", attempt.network, now)
                    .await?;
                Ok(SignedIn::No)
            }
        }
    }

    /// The businesses that an account belongs to.
    pub(crate) async fn places(&self, account: Uuid) -> Result<Vec<Place>, Fault> {
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        store::account::scope(&mut transaction, account).await?;
        let places = store::membership::places(&mut transaction, account).await?;
        transaction.rollback().await?;
        Ok(places)
    }

    /// By what attempts are counted: by the browser where the account knows it, and by the
    /// network of whoever comes from elsewhere.
    pub(super) fn attempt_key(
        &self,
        email: &str,
        known: Option<&str>,
        network: &Network,
    ) -> [u8; 32] {
        let from = match known {
            Some(device) => format!("device {device}"),
            None => format!("network {}", network.as_str()),
        };
        let text = format!("{email}\0{from}");
        *blake3::keyed_hash(&self.keys.attempt, text.as_bytes()).as_bytes()
    }

    /// Counts an attempt as failed, which whoever succeeds takes back; or says how long it is
    /// not looked at.
    pub(super) async fn count_attempt(
        &self,
        connection: &mut PgConnection,
        key: &[u8],
    ) -> sqlx::Result<Option<SignedDuration>> {
        let now = self.clock.now();
        let failures = store::attempt::lock(connection, key, now).await?;
        match throttle::attempt(failures, now) {
            Attempt::NotBefore(at) => Ok(Some(at.duration_since(now))),
            Attempt::Allowed(failures) => {
                store::attempt::set(connection, key, failures).await?;
                Ok(None)
            }
        }
    }

    /// Begins a session, where the hash that the password was compared with still stands.
    async fn welcome(
        &self,
        account: Account,
        device: Device,
        (kept, key): (&str, &[u8]),
        attempt: &Try<'_>,
        now: Timestamp,
    ) -> Result<SignedIn, Fault> {
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let connection = &mut *transaction;
        // Whoever was signed in here before is not any more.
        self.end_session_of(connection, attempt.headers).await?;
        store::attempt::forget(connection, key).await?;
        store::account::scope(connection, account.id).await?;
        let stands = store::account::lock_password(connection, account.id).await?;
        if stands.as_deref() != Some(kept) {
            return Ok(SignedIn::No);
        }
        let totp = store::code::totp(connection, account.id).await?;
        if totp.is_some_and(|totp| totp.is_confirmed) {
            let stage = Stage::OwesCode;
            let headers = attempt.headers;
            let session = self
                .begin_session(connection, account.id, stage, headers)
                .await?;
            transaction.commit().await?;
            return Ok(SignedIn::OwesCode(session));
        }
        let session = self
            .begin_session(connection, account.id, Stage::SignedIn, attempt.headers)
            .await?;
        let event = self.random.uuid(now);
        let network = attempt.network.as_str();
        store::account::event(connection, event, Some(account.id), "sign-in", network, now).await?;
        let places = store::membership::places(connection, account.id).await?;
        transaction.commit().await?;
        let device = device.remember(&self.keys.device, account.id, self.secure);
        Ok(SignedIn::Yes {
            cookies: [session, device],
            places,
        })
    }

    /// Keeps a password with today's parameters, unless it is another one by now. Gives the
    /// hash that stands for it.
    async fn keep_better(
        &self,
        account: Uuid,
        password: &str,
        old: String,
    ) -> Result<String, Fault> {
        let new = self.passwords.hash(password).await?;
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        store::account::scope(&mut transaction, account).await?;
        let hashes = (old.as_str(), new.as_str());
        let is_kept = store::account::keep_better(&mut transaction, account, hashes).await?;
        transaction.commit().await?;
        Ok(if is_kept { new } else { old })
    }

    /// Writes down what happened, to nobody's account where there is none.
    pub(super) async fn note(
        &self,
        account: Option<Uuid>,
        action: &str,
        network: &Network,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        if let Some(account) = account {
            store::account::scope(&mut transaction, account).await?;
        }
        let event = self.random.uuid(now);
        let network = network.as_str();
        store::account::event(&mut transaction, event, account, action, network, now).await?;
        transaction.commit().await?;
        Ok(())
    }
}
