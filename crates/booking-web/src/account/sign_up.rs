//! A business that begins by itself: in one step it has a page that can be booked. Until
//! its owner has followed the link in our mail it is in no list. Whether the address had an
//! account before shows nowhere: the new one stands beside it until the link is followed,
//! and becomes one with it then.

use booking::Role;
use http::{HeaderMap, HeaderValue};
use uuid::Uuid;

use super::email::Email;
use super::mail::Purpose;
use super::network::Network;
use super::password::Verdict;
use super::session::Stage;
use super::template::Kind;
use super::{Accounts, token_hash};
use crate::error::Fault;
use crate::language::Language;
use crate::store;
use crate::store::account::Account;
use crate::store::record::Audit;
use crate::store::seed::{NewBusiness, NewService};

/// Where all of them are until somebody asks for another one.
const ZONE: &str = "Africa/Johannesburg";
const HORIZON_DAYS: i32 = 60;
const STEP_MINUTES: i32 = 15;
const NOTICE_MINUTES: i32 = 120;
const CANCEL_LIMIT_MINUTES: i32 = 24 * 60;

/// A business as somebody begins it, every field checked.
pub(crate) struct Beginning<'a> {
    pub(crate) business: &'a str,
    pub(crate) slug: &'a str,
    pub(crate) address: &'a str,
    pub(crate) kind: Kind,
    pub(crate) name: &'a str,
    pub(crate) email: &'a Email,
    pub(crate) password: &'a str,
    pub(crate) language: Language,
}

/// What becomes of it.
pub(crate) enum Begun {
    /// With the cookie of whoever began it.
    Yes(HeaderValue),
    SlugTaken,
}

/// What becomes of a confirmation.
pub(crate) enum Confirmed {
    Yes,
    /// The password is not that of the account.
    No,
    Over,
}

impl Accounts {
    /// Whether no business has that address.
    pub(crate) async fn is_free(&self, slug: &str) -> Result<bool, Fault> {
        let mut connection = self.pool.acquire().await?;
        let found = store::business::by_slug(&mut connection, slug).await?;
        Ok(found.is_none())
    }

    /// Begins a business, with its owner as the first person in the calendar.
    pub(crate) async fn sign_up(
        &self,
        beginning: &Beginning<'_>,
        network: &Network,
        headers: &HeaderMap,
    ) -> Result<Begun, Fault> {
        let hash = self.passwords.hash(beginning.password).await?;
        let now = self.clock.now();
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let connection = &mut *transaction;
        // Whoever was signed in here before is not any more.
        self.end_session_of(connection, headers).await?;
        let account = Account {
            id: self.new_id(),
            email: beginning.email.as_str().to_owned(),
            name: beginning.name.to_owned(),
            is_confirmed: false,
            is_demonstration: false,
        };
        store::account::scope(connection, account.id).await?;
        store::account::insert(connection, &account, now).await?;
        store::account::set_password(connection, account.id, &hash, now).await?;
        let business = match self.open(connection, beginning, &account).await {
            Ok(business) => business,
            Err(error) if store::business::is_slug_taken(&error) => return Ok(Begun::SlugTaken),
            Err(error) => return Err(error.into()),
        };
        let audit = Audit {
            id: self.new_id(),
            business,
            actor: "account",
            actor_id: Some(account.id),
            action: "business.begun",
            subject: business,
            before: None,
            after: None,
            now,
        };
        store::record::audit_change(connection, &audit).await?;
        let (event, whose) = (self.new_id(), Some(account.id));
        store::account::event(connection, event, whose, "sign-up", network.as_str(), now).await?;
        self.send_link(connection, &account, Purpose::ConfirmEmail)
            .await?;
        let stage = Stage::SignedIn;
        let cookie = self
            .begin_session(connection, account.id, stage, headers)
            .await?;
        transaction.commit().await?;
        Ok(Begun::Yes(cookie))
    }

    /// Writes the business with its owner, hours and services; it is in scope from then on.
    async fn open(
        &self,
        connection: &mut sqlx::PgConnection,
        beginning: &Beginning<'_>,
        owner: &Account,
    ) -> sqlx::Result<Uuid> {
        let now = self.clock.now();
        let new = NewBusiness {
            id: self.new_id(),
            location: self.new_id(),
            slug: beginning.slug,
            name: beginning.business,
            about: None,
            zone: ZONE,
            cancel_limit_minutes: CANCEL_LIMIT_MINUTES,
            place: beginning.business,
            address: beginning.address,
            now,
        };
        let (id, staff, lane) = (new.id, self.new_id(), self.new_id());
        store::scope(connection, id).await?;
        store::seed::business(connection, &new).await?;
        store::business::hide(connection, id, beginning.language.tag()).await?;
        let ids = (staff, lane);
        store::seed::staff(connection, id, new.location, ids, beginning.name).await?;
        for (weekday, opens, closes) in beginning.kind.hours() {
            let (opening, minutes) = (self.new_id(), (opens, closes));
            store::seed::opening(connection, opening, id, lane, weekday, minutes).await?;
        }
        for (service, name) in beginning.kind.services(beginning.language) {
            let service = NewService {
                id: self.new_id(),
                business: id,
                slug: service.slug,
                name: &name.to_string(),
                about: None,
                duration_minutes: service.minutes,
                after_minutes: service.after_minutes,
                step_minutes: STEP_MINUTES,
                notice_minutes: NOTICE_MINUTES,
                horizon_days: HORIZON_DAYS,
                price_cents: service.rand * 100,
                capacity: 1,
                only_planned: false,
            };
            store::seed::service(connection, &service).await?;
            store::seed::gives(connection, id, service.id, staff).await?;
        }
        let (role, staff) = (Role::Owner.as_str(), Some(staff));
        store::membership::insert(connection, id, owner.id, role, staff, now).await?;
        Ok(id)
    }

    /// Shows that the address is theirs: by the link, and by the password, so that nobody
    /// confirms what somebody else began in their name. Where they had an account before, the
    /// new one becomes part of it, and its password counts.
    pub(crate) async fn confirm(
        &self,
        token: &str,
        password: &str,
        network: &Network,
    ) -> Result<Confirmed, Fault> {
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let connection = &mut *transaction;
        let link = self.link(connection, token, Purpose::ConfirmEmail).await?;
        let Some(link) = link else {
            return Ok(Confirmed::Over);
        };
        let Some(new) = store::account::by_id(connection, link.account).await? else {
            return Ok(Confirmed::Over);
        };
        let before = store::account::find(connection, &new.email).await?;
        let lasting = before.as_ref().unwrap_or(&new);
        store::account::scope(connection, lasting.id).await?;
        let kept = store::account::password(connection, lasting.id).await?;
        let key = self.attempt_key(&lasting.email, None, network);
        if self.count_attempt(connection, &key).await?.is_some() {
            return Ok(Confirmed::No);
        }
        transaction.commit().await?;
        if self.passwords.verify(password, kept).await? == Verdict::Wrong {
            return Ok(Confirmed::No);
        }
        let now = self.clock.now();
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        let connection = &mut *transaction;
        store::attempt::forget(connection, &key).await?;
        store::account::scope(connection, new.id).await?;
        if !store::mail::use_link(connection, &token_hash(token), &link, now).await? {
            return Ok(Confirmed::Over);
        }
        for place in store::membership::places(connection, new.id).await? {
            store::scope(connection, place.business).await?;
            if let Some(before) = &before {
                store::membership::hand_over(connection, place.business, new.id, before.id).await?;
            }
            store::business::list(connection, place.business).await?;
        }
        if before.is_some() {
            store::account::forget(connection, new.id).await?;
        } else {
            store::account::confirm(connection, new.id).await?;
        }
        store::account::scope(connection, lasting.id).await?;
        let (event, whose) = (self.new_id(), Some(lasting.id));
        store::account::event(
            connection,
            event,
            whose,
            "email.confirmed",
            network.as_str(),
            now,
        )
        .await?;
        transaction.commit().await?;
        Ok(Confirmed::Yes)
    }

    /// Sends the link once more to somebody who is signed in and has not followed it.
    pub(crate) async fn send_again(&self, account: &Account) -> Result<(), Fault> {
        let mut transaction = store::begin_unscoped(&self.pool).await?;
        store::account::scope(&mut transaction, account.id).await?;
        self.send_link(&mut transaction, account, Purpose::ConfirmEmail)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}
