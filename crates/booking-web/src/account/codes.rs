//! The second step of signing in, and giving the password again. A code counts once; a
//! wrong one counts as a failed attempt, like a wrong password.

use http::{HeaderMap, HeaderValue};
use jiff::SignedDuration;
use uuid::Uuid;

use super::device::Device;
use super::network::Network;
use super::password::Verdict;
use super::session::Stage;
use super::totp::{self, Secret};
use super::{Accounts, session};
use crate::error::Fault;
use crate::store;
use crate::store::account::Account;
use crate::store::membership::Place;
use crate::store::session::Session;

/// A mail about a change is of use for so long.
const TOLD_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// What becomes of a code, or of a password that is given again.
pub(crate) enum Stepped {
    /// With the cookies that say so, and where they may go.
    Yes {
        cookies: Vec<HeaderValue>,
        places: Vec<Place>,
    },
    No,
    /// It was not looked at; so long must be waited.
    NotYet(SignedDuration),
    /// Nobody has begun to sign in here, or it is too long ago.
    Over,
}

impl Accounts {
    /// The second step of signing in.
    pub(crate) async fn give_code(
        &self,
        code: &str,
        network: &Network,
        headers: &HeaderMap,
    ) -> Result<Stepped, Fault> {
        let now = self.clock.now();
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let connection = &mut *transaction;
        let begun = self.session(connection, headers, Stage::OwesCode).await?;
        let Some(session) = begun else {
            return Ok(Stepped::Over);
        };
        let account = session.account;
        let device = Device::of(headers, self.secure, &self.random);
        let known = device.known(&self.keys.device, account);
        let key = self.attempt_key(&format!("code {account}"), known, network);
        if let Some(wait) = self.count_attempt(connection, &key).await? {
            return Ok(Stepped::NotYet(wait));
        }
        // Only somebody with the password gets this far, so strangers from many networks are
        // counted together; a browser that has been here before is not held up by them.
        let strangers = self.strangers_key(account);
        if known.is_none()
            && let Some(wait) = self.count_attempt(connection, &strangers).await?
        {
            return Ok(Stepped::NotYet(wait));
        }
        let event = self.random.uuid(now);
        let network = network.as_str();
        if !self.takes_code(connection, account, code).await? {
            let action = "sign-in.code-failed";
            store::account::event(connection, event, Some(account), action, network, now).await?;
            transaction.commit().await?;
            return Ok(Stepped::No);
        }
        store::attempt::forget(connection, &key).await?;
        if known.is_none() {
            store::attempt::forget(connection, &strangers).await?;
        }
        let cookie = self.renew_session(connection, &session).await?;
        store::account::event(connection, event, Some(account), "sign-in", network, now).await?;
        let places = store::membership::places(connection, account).await?;
        transaction.commit().await?;
        let device = device.remember(&self.keys.device, account, self.secure);
        Ok(Stepped::Yes {
            cookies: vec![cookie, device],
            places,
        })
    }

    /// By what the codes of everybody who was never here are counted together.
    fn strangers_key(&self, account: Uuid) -> [u8; 32] {
        let text = format!("code {account}\0strangers");
        *blake3::keyed_hash(&self.keys.attempt, text.as_bytes()).as_bytes()
    }

    /// Whether the code is one of the app's that was not used before, or a recovery code.
    /// Uses it up.
    async fn takes_code(
        &self,
        connection: &mut sqlx::PgConnection,
        account: Uuid,
        code: &str,
    ) -> Result<bool, Fault> {
        let now = self.clock.now();
        if let Some(totp) = store::code::totp(connection, account).await?
            && let Some(secret) = self.unseal(&totp.sealed, account)
            && let Some(step) = secret.step_of(code, now)
        {
            return Ok(store::code::use_step(connection, account, step).await?);
        }
        for seal in self.keys.seals() {
            let hash = totp::recovery_hash(seal, account, code);
            if store::code::use_recovery(connection, account, &hash, now).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The secret of a code app, under the present key or the one before.
    fn unseal(&self, sealed: &[u8], account: Uuid) -> Option<Secret> {
        let mut seals = self.keys.seals();
        seals.find_map(|seal| Secret::unseal(sealed, seal, account))
    }

    /// Takes the password of somebody who is signed in once more, and renews their session.
    pub(crate) async fn password_again(
        &self,
        (account, session): (&Account, &Session),
        password: &str,
        network: &Network,
        headers: &HeaderMap,
    ) -> Result<Stepped, Fault> {
        let now = self.clock.now();
        let device = Device::of(headers, self.secure, &self.random);
        let known = device.known(&self.keys.device, account.id);
        let key = self.attempt_key(&account.email, known, network);
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        store::account::scope(&mut transaction, account.id).await?;
        let kept = store::account::password(&mut transaction, account.id).await?;
        if let Some(wait) = self.count_attempt(&mut transaction, &key).await? {
            return Ok(Stepped::NotYet(wait));
        }
        transaction.commit().await?;
        if self.passwords.verify(password, kept).await? == Verdict::Wrong {
            let action = "password-again.failed";
            self.note(Some(account.id), action, network, now).await?;
            return Ok(Stepped::No);
        }
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        store::attempt::forget(&mut transaction, &key).await?;
        store::account::scope(&mut transaction, account.id).await?;
        let cookie = self.renew_session(&mut transaction, session).await?;
        transaction.commit().await?;
        Ok(Stepped::Yes {
            cookies: vec![cookie],
            places: Vec::new(),
        })
    }

    /// The secret of a code app that is being set up; begun where none is. None where one
    /// is there and works.
    pub(crate) async fn secret_to_set_up(&self, account: Uuid) -> Result<Option<Secret>, Fault> {
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let connection = &mut *transaction;
        store::account::scope(connection, account).await?;
        let found = store::code::totp(connection, account).await?;
        if found.as_ref().is_some_and(|totp| totp.is_confirmed) {
            return Ok(None);
        }
        let begun = found.and_then(|t| self.unseal(&t.sealed, account));
        if begun.is_some() {
            return Ok(begun);
        }
        let secret = Secret::new(&self.random);
        let sealed = secret.seal(&self.keys.seal, account, &self.random);
        store::code::begin(connection, account, &sealed).await?;
        transaction.commit().await?;
        Ok(Some(secret))
    }

    /// Takes the first code of an app, and gives the recovery codes: now, and never again.
    pub(crate) async fn confirm_codes(
        &self,
        owner: &Account,
        code: &str,
        network: &Network,
    ) -> Result<Option<Vec<String>>, Fault> {
        let (account, now) = (owner.id, self.clock.now());
        let Some(secret) = self.secret_to_set_up(account).await? else {
            return Ok(None);
        };
        let Some(step) = secret.step_of(code, now) else {
            return Ok(None);
        };
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let connection = &mut *transaction;
        store::account::scope(connection, account).await?;
        if !store::code::use_step(connection, account, step).await? {
            return Ok(None);
        }
        store::code::confirm(connection, account, now).await?;
        let codes = totp::recovery_codes(&self.random);
        for code in &codes {
            let hash = totp::recovery_hash(&self.keys.seal, account, code);
            store::code::insert_recovery(connection, account, &hash).await?;
        }
        self.say_factor(connection, owner, "codes.on", network)
            .await?;
        transaction.commit().await?;
        Ok(Some(codes))
    }

    /// Removes the code app with its recovery codes.
    pub(crate) async fn remove_codes(
        &self,
        owner: &Account,
        network: &Network,
    ) -> Result<(), Fault> {
        let account = owner.id;
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let connection = &mut *transaction;
        store::account::scope(connection, account).await?;
        store::code::remove(connection, account).await?;
        self.say_factor(connection, owner, "codes.off", network)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Writes down that a factor changed, and tells its owner by mail.
    pub(super) async fn say_factor(
        &self,
        connection: &mut sqlx::PgConnection,
        owner: &Account,
        action: &str,
        network: &Network,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let (event, network) = (self.random.uuid(now), network.as_str());
        store::account::event(connection, event, Some(owner.id), action, network, now).await?;
        let expires_at = now.saturating_add(TOLD_WITHIN).unwrap_or(now);
        let kind = match action {
            "codes.on" => "account.codes-on",
            "passkey.added" => "account.passkey-on",
            "passkey.removed" => "account.passkey-off",
            _ => "account.codes-off",
        };
        let content = (owner.name.as_str(), "/account", "");
        self.plan(connection, kind, &owner.email, content, expires_at)
            .await
    }

    /// What secures the account, and its sessions, for its own page.
    pub(crate) async fn secured(&self, account: Uuid) -> Result<Secured, Fault> {
        let now = self.clock.now();
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let connection = &mut *transaction;
        store::account::scope(connection, account).await?;
        let totp = store::code::totp(connection, account).await?;
        let passkeys = store::passkey::all(connection, account).await?;
        let sessions = store::session::all(connection, account, now).await?;
        transaction.rollback().await?;
        Ok(Secured {
            has_codes: totp.is_some_and(|totp| totp.is_confirmed),
            passkeys: passkeys.len(),
            sessions: sessions
                .into_iter()
                .filter(|listed| session::is_used(listed.seen_at, now))
                .collect(),
        })
    }

    /// Ends one session of an account, or all but the one that is kept.
    pub(crate) async fn end_sessions(
        &self,
        account: Uuid,
        which: Which,
        network: &Network,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let connection = &mut *transaction;
        store::account::scope(connection, account).await?;
        match which {
            Which::One(id) => {
                store::session::end(connection, id).await?;
            }
            Which::AllBut(kept) => {
                store::session::end_all(connection, account, Some(kept)).await?;
            }
        }
        let event = self.random.uuid(now);
        let action = "sessions.ended";
        store::account::event(
            connection,
            event,
            Some(account),
            action,
            network.as_str(),
            now,
        )
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// What secures an account, and where it is signed in.
pub(crate) struct Secured {
    pub(crate) has_codes: bool,
    pub(crate) passkeys: usize,
    pub(crate) sessions: Vec<store::session::Listed>,
}

/// Which sessions are ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which {
    One(Uuid),
    AllBut(Uuid),
}
