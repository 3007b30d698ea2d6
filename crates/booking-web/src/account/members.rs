//! The people of a business: invited by an owner, given another role, taken away. Whoever
//! gets another role or goes is signed out everywhere, and a business keeps an owner.

use booking::Role;
use jiff::SignedDuration;
use uuid::Uuid;

use super::email::Email;
use super::member::Member;
use super::network::Network;
use super::{Accounts, password, token_hash};
use crate::error::Fault;
use crate::language::Message;
use crate::store;
use crate::store::account::Account;
use crate::store::invitation::{Invitation, NewInvitation};
use crate::store::membership::{self, Person};
use crate::store::record::Audit;

const INVITATION_LASTS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Everybody who belongs to a business, and who is invited to.
pub(crate) struct People {
    pub(crate) members: Vec<Person>,
    /// Id, address and role.
    pub(crate) invited: Vec<(Uuid, String, String)>,
}

/// What becomes of a change to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Changed {
    Yes,
    /// There is no such member.
    Nobody,
    LastOwner,
}

/// An invitation with what its page says.
pub(crate) struct Invited {
    pub(crate) business: store::business::Business,
    pub(crate) invitation: Invitation,
}

/// What becomes of an acceptance.
pub(crate) enum Accepted {
    /// They belong to the business of this address now.
    Yes(String),
    Unfit(Message),
    /// The password is not that of the account that the address has.
    WrongPassword,
    Over,
}

impl Accounts {
    pub(crate) async fn people(&self, business: Uuid) -> Result<People, Fault> {
        let mut transaction = store::begin(&self.pool, business).await?;
        let members = membership::people(&mut transaction, business).await?;
        let now = self.clock.now();
        let invited = store::invitation::open(&mut transaction, business, now).await?;
        transaction.rollback().await?;
        Ok(People { members, invited })
    }

    /// Invites an address by mail, in place of an open invitation to it.
    pub(crate) async fn invite(&self, by: &Member, email: &Email, role: Role) -> Result<(), Fault> {
        let (now, token, business) = (self.clock.now(), self.random.token(), by.business.id);
        let expires_at = now.checked_add(INVITATION_LASTS).unwrap_or(now);
        let new = NewInvitation {
            id: self.new_id(),
            business,
            token_hash: &token_hash(&token),
            email: email.as_str(),
            role: role.as_str(),
            by: by.account.id,
            now,
            expires_at,
        };
        let mut transaction = store::begin(&self.pool, business).await?;
        let connection = &mut *transaction;
        store::invitation::insert(connection, &new).await?;
        self.write_down(connection, by, "member.invited", new.id, (None, Some(role)))
            .await?;
        let path = format!("/invitation/{token}");
        let content = ("", path.as_str(), by.business.name.as_str());
        let kind = "account.invitation";
        self.plan(connection, kind, email.as_str(), content, expires_at)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(crate) async fn withdraw(&self, by: &Member, invitation: Uuid) -> Result<(), Fault> {
        let mut transaction = store::begin(&self.pool, by.business.id).await?;
        let connection = &mut *transaction;
        store::invitation::withdraw(connection, invitation).await?;
        self.write_down(connection, by, "member.uninvited", invitation, (None, None))
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Gives a member another role, or takes them away where it is none.
    pub(crate) async fn change_member(
        &self,
        by: &Member,
        whom: Uuid,
        role: Option<Role>,
    ) -> Result<Changed, Fault> {
        let business = by.business.id;
        let mut transaction = store::begin(&self.pool, business).await?;
        let connection = &mut *transaction;
        let before = membership::find(connection, business, whom).await?;
        let Some(before) = before.and_then(|before| Role::parse(&before.role)) else {
            return Ok(Changed::Nobody);
        };
        if role == Some(before) {
            return Ok(Changed::Yes);
        }
        let changed = match role {
            Some(role) => membership::set_role(connection, business, whom, role.as_str()).await,
            None => membership::remove(connection, business, whom).await,
        };
        match changed {
            Ok(true) => {}
            Ok(false) => return Ok(Changed::Nobody),
            Err(error) if membership::is_last_owner(&error) => return Ok(Changed::LastOwner),
            Err(error) => return Err(error.into()),
        }
        let action = match role {
            Some(_) => "member.role-changed",
            None => "member.removed",
        };
        self.write_down(connection, by, action, whom, (Some(before), role))
            .await?;
        // Their rights are others now, and so are their sessions.
        store::account::scope(connection, whom).await?;
        let kept = (whom == by.account.id).then_some(by.session.id);
        store::session::end_all(connection, whom, kept).await?;
        transaction.commit().await?;
        Ok(Changed::Yes)
    }

    async fn write_down(
        &self,
        connection: &mut sqlx::PgConnection,
        by: &Member,
        action: &str,
        subject: Uuid,
        (before, after): (Option<Role>, Option<Role>),
    ) -> sqlx::Result<()> {
        let json =
            |role: Option<Role>| role.map(|role| format!("{{\"role\":\"{}\"}}", role.as_str()));
        let (before, after) = (json(before), json(after));
        let audit = Audit {
            id: self.new_id(),
            business: by.business.id,
            actor: "account",
            actor_id: Some(by.account.id),
            action,
            subject,
            before: before.as_deref(),
            after: after.as_deref(),
            now: self.clock.now(),
        };
        store::record::audit_change(connection, &audit).await
    }

    /// The invitation of whoever knows its secret, where it still counts.
    pub(crate) async fn invited(&self, token: &str) -> Result<Option<Invited>, Fault> {
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let found = store::invitation::find(&mut transaction, &token_hash(token)).await?;
        let now = self.clock.now();
        let live = found.filter(|found| !found.is_accepted && now < found.expires_at);
        let Some(invitation) = live else {
            return Ok(None);
        };
        let business = store::business::by_id(&mut transaction, invitation.business).await?;
        transaction.rollback().await?;
        Ok(business.map(|business| Invited {
            business,
            invitation,
        }))
    }

    /// Makes whoever holds the invitation a member. The mail has shown that the address is
    /// theirs; an account that it has already is theirs where they know its password.
    pub(crate) async fn accept(
        &self,
        token: &str,
        (name, password): (&str, &str),
        network: &Network,
    ) -> Result<Accepted, Fault> {
        let Some(Invited {
            business,
            invitation,
        }) = self.invited(token).await?
        else {
            return Ok(Accepted::Over);
        };
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let before = store::account::find(&mut transaction, &invitation.email).await?;
        let kept = match &before {
            Some(before) => store::account::password(&mut transaction, before.id).await?,
            None => None,
        };
        transaction.rollback().await?;
        let hash = if before.is_some() {
            let verdict = self.passwords.verify(password, kept).await?;
            if verdict == password::Verdict::Wrong {
                return Ok(Accepted::WrongPassword);
            }
            None
        } else {
            let names = [name, &invitation.email, &business.name];
            if let Err(reason) = password::check(password, &names) {
                return Ok(Accepted::Unfit(reason));
            }
            Some(self.passwords.hash(password).await?)
        };
        let account = before.unwrap_or_else(|| Account {
            id: self.new_id(),
            email: invitation.email.clone(),
            name: name.to_owned(),
            is_confirmed: true,
            is_demonstration: false,
        });
        let secret = token_hash(token);
        let joined = self.join(&account, hash.as_deref(), (&secret, &invitation), network);
        Ok(if joined.await? {
            Accepted::Yes(business.slug)
        } else {
            Accepted::Over
        })
    }

    /// `false` where the invitation does not count any more; nothing was done then.
    async fn join(
        &self,
        account: &Account,
        hash: Option<&str>,
        (secret, invitation): (&[u8], &Invitation),
        network: &Network,
    ) -> Result<bool, Fault> {
        let (now, business) = (self.clock.now(), invitation.business);
        let mut transaction = store::begin(&self.pool, business).await?;
        let connection = &mut *transaction;
        store::account::scope(connection, account.id).await?;
        if let Some(hash) = hash {
            store::account::insert(connection, account, now).await?;
            store::account::set_password(connection, account.id, hash, now).await?;
        }
        let accepted = store::invitation::accept(connection, secret, now).await?;
        if accepted != Some(invitation.id) {
            return Ok(false);
        }
        let belongs = membership::find(connection, business, account.id).await?;
        if belongs.is_none() {
            let role = &invitation.role;
            membership::insert(connection, business, account.id, role, None, now).await?;
        }
        let audit = Audit {
            id: self.new_id(),
            business,
            actor: "account",
            actor_id: Some(account.id),
            action: "member.joined",
            subject: account.id,
            before: None,
            after: None,
            now,
        };
        store::record::audit_change(connection, &audit).await?;
        let (event, whose) = (self.new_id(), Some(account.id));
        store::account::event(connection, event, whose, "joined", network.as_str(), now).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
