//! Another password, by mail for whoever forgot it, or by the old one. Asking for the mail
//! is answered the same, for the same work, whether there is an account or not.

use uuid::Uuid;

use super::email::Email;
use super::mail::Purpose;
use super::network::Network;
use super::{Accounts, password, token_hash};
use crate::error::Fault;
use crate::language::Message;
use crate::store;

/// What becomes of a new password.
pub(crate) enum Reset {
    Done,
    /// It is not taken, for this reason.
    Unfit(Message),
    /// The link was used, is too old, or was never ours.
    Over,
}

impl Accounts {
    /// Sends a link to whoever has an account of that address.
    pub(crate) async fn ask_for_reset(
        &self,
        email: &Email,
        network: &Network,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        // Writing a mail takes far less than this; both ways take it.
        self.passwords.verify("nobody’s password", None).await?;
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let connection = &mut *transaction;
        let account = store::account::find(connection, email.as_str()).await?;
        if let Some(account) = &account {
            self.send_link(connection, account, Purpose::ResetPassword)
                .await?;
        }
        let (event, whose) = (self.random.uuid(now), account.map(|account| account.id));
        let network = network.as_str();
        store::account::event(connection, event, whose, "reset.asked", network, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Sets another password for whoever holds the link, and signs everybody out.
    pub(crate) async fn reset(
        &self,
        token: &str,
        password: &str,
        network: &Network,
    ) -> Result<Reset, Fault> {
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let link = self
            .link(&mut transaction, token, Purpose::ResetPassword)
            .await?;
        let Some(link) = link else {
            return Ok(Reset::Over);
        };
        let account = store::account::by_id(&mut transaction, link.account).await?;
        transaction.rollback().await?;
        let Some(account) = account else {
            return Ok(Reset::Over);
        };
        if let Err(reason) = password::check(password, &[&account.name, &account.email]) {
            return Ok(Reset::Unfit(reason));
        }
        let hash = self.passwords.hash(password).await?;
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let connection = &mut *transaction;
        let now = self.clock.now();
        store::account::scope(connection, account.id).await?;
        if !store::mail::use_link(connection, &token_hash(token), &link, now).await? {
            return Ok(Reset::Over);
        }
        store::account::set_password(connection, account.id, &hash, now).await?;
        store::session::end_all(connection, account.id, None).await?;
        // Whoever had the account for a moment may have left one that opens it again.
        store::passkey::remove_all(connection, account.id).await?;
        self.say_changed(
            connection,
            account.id,
            &account.email,
            &account.name,
            network,
        )
        .await?;
        transaction.commit().await?;
        Ok(Reset::Done)
    }

    /// Sets another password for somebody who has just given the old one, and ends their
    /// other sessions.
    pub(crate) async fn change_password(
        &self,
        (account, session): (&store::account::Account, Uuid),
        password: &str,
        network: &Network,
    ) -> Result<Reset, Fault> {
        if let Err(reason) = password::check(password, &[&account.name, &account.email]) {
            return Ok(Reset::Unfit(reason));
        }
        let hash = self.passwords.hash(password).await?;
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let connection = &mut *transaction;
        store::account::scope(connection, account.id).await?;
        store::account::set_password(connection, account.id, &hash, self.clock.now()).await?;
        store::session::end_all(connection, account.id, Some(session)).await?;
        self.say_changed(
            connection,
            account.id,
            &account.email,
            &account.name,
            network,
        )
        .await?;
        transaction.commit().await?;
        Ok(Reset::Done)
    }

    /// Writes down that the password is another one, and tells its owner by mail.
    async fn say_changed(
        &self,
        connection: &mut sqlx::PgConnection,
        account: Uuid,
        email: &str,
        name: &str,
        network: &Network,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let event = self.random.uuid(now);
        let action = "password.changed";
        store::account::event(
            connection,
            event,
            Some(account),
            action,
            network.as_str(),
            now,
        )
        .await?;
        let expires_at = now
            .checked_add(jiff::SignedDuration::from_hours(24))
            .unwrap_or(now);
        let content = (name, "/forgot", "");
        self.plan(connection, "account.changed", email, content, expires_at)
            .await
    }
}
