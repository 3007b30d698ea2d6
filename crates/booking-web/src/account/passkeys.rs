//! Passkeys of an account: added, removed, and signed in with. A challenge is taken away
//! before it is looked at, whatever comes of it. Who is refused is not told why, and nobody
//! learns whether a passkey is known here.

use http::HeaderMap;
use jiff::SignedDuration;
use uuid::Uuid;

use super::device::Device;
use super::network::Network;
use super::session::Stage;
use super::sign_in::SignedIn;
use super::webauthn::{self, Making, Passkeys, Refused, Signing};
use super::{Accounts, token_hash_of};
use crate::error::Fault;
use crate::store;
use crate::store::account::Account;
use crate::store::passkey::{Challenge, Listed, NewPasskey, Passkey};

/// A challenge counts for so long.
const LASTS: SignedDuration = SignedDuration::from_mins(5);
const NOT_HERE_AND_NOW: Refused = Refused("its challenge is not of here and now");
/// More than anybody has devices.
const PASSKEYS_MAX: usize = 20;

/// What becomes of a passkey that is to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    Yes,
    /// It was not made for us, here and now.
    No,
    /// There are as many as can be.
    Enough,
}

impl Accounts {
    /// Where there are passkeys; nothing is at their addresses where there are none.
    pub(crate) fn passkeys(&self) -> Result<&Passkeys, Fault> {
        self.passkeys.as_ref().ok_or(Fault::NotFound)
    }

    /// The passkeys of an account.
    pub(crate) async fn list_passkeys(&self, account: Uuid) -> Result<Vec<Listed>, Fault> {
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        store::account::scope(&mut transaction, account).await?;
        let listed = store::passkey::all(&mut transaction, account).await?;
        transaction.rollback().await?;
        Ok(listed)
    }

    /// What the browser is asked: to make a passkey for `owner`, or to sign in where there is
    /// none.
    pub(crate) async fn ask_for_passkey(
        &self,
        owner: Option<&Account>,
        holder: &[u8],
    ) -> Result<String, Fault> {
        let passkeys = self.passkeys()?;
        let (now, challenge) = (self.clock.now(), webauthn::new_challenge(&self.random));
        let given = Challenge {
            holder: holder.to_owned(),
            account: owner.map(|owner| owner.id),
            expires_at: now.checked_add(LASTS).unwrap_or(now),
        };
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        store::passkey::give(&mut transaction, &token_hash_of(&challenge), &given).await?;
        transaction.commit().await?;
        let asked = match owner {
            Some(owner) => {
                let kept = self.list_passkeys(owner.id).await?;
                passkeys.to_make(&challenge, owner, &kept)
            }
            None => passkeys.to_sign(&challenge),
        };
        asked.map_err(Fault::Broken)
    }

    /// Whether an account has as many as it may.
    pub(crate) async fn has_all_passkeys(&self, account: Uuid) -> Result<bool, Fault> {
        Ok(self.list_passkeys(account).await?.len() >= PASSKEYS_MAX)
    }

    /// Adds the passkey that a browser made for its owner, and tells them by mail.
    pub(crate) async fn add_passkey(
        &self,
        owner: &Account,
        (answer, name): (&str, &str),
        holder: &[u8],
        network: &Network,
    ) -> Result<Added, Fault> {
        let (passkeys, now) = (self.passkeys()?, self.clock.now());
        if self.has_all_passkeys(owner.id).await? {
            return Ok(Added::Enough);
        }
        let Some(answer) = Making::read(answer) else {
            return Ok(Added::No);
        };
        let is_ours = self
            .takes_challenge(&answer.challenge, holder, Some(owner.id))
            .await?;
        let made = if is_ours {
            passkeys.made(owner, &answer)
        } else {
            Err(NOT_HERE_AND_NOW)
        };
        let made = match made {
            Ok(made) => made,
            Err(refused) => {
                refused.say();
                return Ok(Added::No);
            }
        };
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let connection = &mut *transaction;
        store::account::scope(connection, owner.id).await?;
        if store::passkey::all(connection, owner.id).await?.len() >= PASSKEYS_MAX {
            return Ok(Added::Enough);
        }
        let new = NewPasskey {
            id: self.random.uuid(now),
            account: owner.id,
            credential_hash: &token_hash_of(&made.credential_id),
            credential_id: &made.credential_id,
            public_key: &made.public_key,
            algorithm: made.algorithm,
            sign_count: made.sign_count,
            name,
            now,
        };
        if !store::passkey::insert(connection, &new).await? {
            return Ok(Added::No);
        }
        self.say_factor(connection, owner, "passkey.added", network)
            .await?;
        transaction.commit().await?;
        Ok(Added::Yes)
    }

    /// Removes a passkey, and tells its owner by mail.
    pub(crate) async fn remove_passkey(
        &self,
        owner: &Account,
        id: Uuid,
        network: &Network,
    ) -> Result<(), Fault> {
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let connection = &mut *transaction;
        store::account::scope(connection, owner.id).await?;
        if !store::passkey::remove(connection, owner.id, id).await? {
            return Ok(());
        }
        self.say_factor(connection, owner, "passkey.removed", network)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Signs in whoever holds a passkey. It stands for the password and the code: the person
    /// was verified by their own device.
    pub(crate) async fn sign_in_with_passkey(
        &self,
        answer: &str,
        holder: &[u8],
        network: &Network,
        headers: &HeaderMap,
    ) -> Result<SignedIn, Fault> {
        let (passkeys, now) = (self.passkeys()?, self.clock.now());
        let Some(answer) = Signing::read(answer) else {
            return Ok(SignedIn::No);
        };
        let is_ours = self
            .takes_challenge(&answer.challenge, holder, None)
            .await?;
        let device = Device::of(headers, self.secure, &self.random);
        let credential = token_hash_of(&answer.credential_id);
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let found = store::passkey::find(&mut transaction, &credential).await?;
        let known = found
            .as_ref()
            .and_then(|passkey| device.known(&self.keys.device, passkey.account));
        let credential = blake3::Hash::from(credential).to_hex();
        let key = self.attempt_key(&format!("passkey {credential}"), known, network);
        if let Some(wait) = self.count_attempt(&mut transaction, &key).await? {
            return Ok(SignedIn::NotYet(wait));
        }
        transaction.commit().await?;
        let account = found.as_ref().map(|passkey| passkey.account);
        let signed = match found {
            _ if !is_ours => Err(NOT_HERE_AND_NOW),
            None => Err(Refused("not known here")),
            Some(passkey) => passkeys
                .signed(&passkey, &answer)
                .map(|count| (passkey, count)),
        };
        match signed {
            Ok((passkey, count)) => {
                let shown = (&passkey, count, key.as_slice());
                self.welcome_passkey(shown, device, network, headers).await
            }
            Err(refused) => {
                refused.say();
                let action = "sign-in.passkey-failed";
                self.note(account, action, network, now).await?;
                Ok(SignedIn::No)
            }
        }
    }

    /// Begins a session for whoever has signed with the passkey, where it still stands and its
    /// count has gone on.
    async fn welcome_passkey(
        &self,
        (passkey, count, key): (&Passkey, u32, &[u8]),
        device: Device,
        network: &Network,
        headers: &HeaderMap,
    ) -> Result<SignedIn, Fault> {
        let (account, now) = (passkey.account, self.clock.now());
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let connection = &mut *transaction;
        // Whoever was signed in here before is not any more.
        self.end_session_of(connection, headers).await?;
        store::attempt::forget(connection, key).await?;
        store::account::scope(connection, account).await?;
        let owner = store::account::by_id(connection, account).await?;
        let kept = store::passkey::lock_count(connection, passkey.id).await?;
        let (Some(_), Some(kept)) = (owner.filter(|owner| owner.is_confirmed), kept) else {
            return Ok(SignedIn::No);
        };
        if !webauthn::counts_on(kept, count) {
            transaction.rollback().await?;
            tracing::warn!(passkey = %passkey.id, "the count of a passkey went back: it was copied");
            let action = "sign-in.passkey-copied";
            self.note(Some(account), action, network, now).await?;
            return Ok(SignedIn::No);
        }
        store::passkey::used(connection, passkey.id, count, now).await?;
        let session = self
            .begin_session(connection, account, Stage::SignedIn, headers)
            .await?;
        let (event, from) = (self.random.uuid(now), network.as_str());
        let action = "sign-in.passkey";
        store::account::event(connection, event, Some(account), action, from, now).await?;
        let places = store::membership::places(connection, account).await?;
        transaction.commit().await?;
        let device = device.remember(&self.keys.device, account, self.secure);
        Ok(SignedIn::Yes {
            cookies: [session, device],
            places,
        })
    }

    /// Takes a challenge away, and says whether it was given to this browser for this, lately.
    async fn takes_challenge(
        &self,
        challenge: &[u8],
        holder: &[u8],
        account: Option<Uuid>,
    ) -> Result<bool, Fault> {
        let now = self.clock.now();
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let taken = store::passkey::take(&mut transaction, &token_hash_of(challenge)).await?;
        transaction.commit().await?;
        Ok(taken.is_some_and(|taken| {
            taken.holder == holder && taken.account == account && now < taken.expires_at
        }))
    }
}
