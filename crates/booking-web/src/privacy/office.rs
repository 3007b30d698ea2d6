//! What the people of a business do about privacy: answer requests, look at what is kept
//! about somebody, erase and hold, and write incidents down. Whoever sees a customer's data
//! here is written into the access log in the same transaction.

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::clock;
use super::erasure::{self, Because, Erased};
use super::request::{Kind, Mail, evidence};
use crate::account::member::Member;
use crate::app::App;
use crate::error::Fault;
use crate::store;
use crate::store::incident::{self, Affected, Incident, Seen, Told};
use crate::store::person::Rows;
use crate::store::privacy::{self, Access};
use crate::store::request::{self as kept, NewRequest, Request};

/// What somebody of the staff decides about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Done,
    Refused,
}

impl App {
    /// The requests of a business that wait or were answered.
    pub(crate) async fn requests(&self, member: &Member) -> Result<Vec<Request>, Fault> {
        let mut transaction = store::begin(&self.appointments.pool, member.business.id).await?;
        let requests = kept::all(&mut transaction).await?;
        transaction.rollback().await?;
        Ok(requests)
    }

    /// One of them, and whether a hold stands over its customer.
    pub(crate) async fn request(
        &self,
        member: &Member,
        id: Uuid,
    ) -> Result<(Request, bool), Fault> {
        let mut transaction = store::begin(&self.appointments.pool, member.business.id).await?;
        let request = kept::lock(&mut transaction, id).await?;
        let request = request.ok_or(Fault::NotFound)?;
        let is_held = match request.customer {
            Some(customer) => privacy::is_held(&mut transaction, &[customer]).await?,
            None => false,
        };
        transaction.rollback().await?;
        Ok((request, is_held))
    }

    /// Writes down what somebody asked for by telephone, by letter or at the door, whose
    /// identity was seen by whoever writes it down.
    pub(crate) async fn enter_request(
        &self,
        member: &Member,
        (kind, channel): (Kind, &str),
        (email, details): (&str, Option<&str>),
    ) -> Result<Uuid, Fault> {
        let now = self.clock.now();
        let id = self.random.uuid(now);
        let business = &member.business;
        let mut transaction = store::begin(&self.appointments.pool, business.id).await?;
        let customer = privacy::customer_of(&mut transaction, email).await?;
        let new = NewRequest {
            id,
            business: business.id,
            kind: kind.as_str(),
            channel,
            state: "open",
            email,
            customer,
            details,
            language: business.language.tag(),
            link: None,
            received: now,
            due: clock::due(now),
        };
        kept::insert(&mut transaction, &new).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// All that is kept about the customer of a request.
    pub(crate) async fn copy_for_staff(
        &self,
        member: &Member,
        request: Uuid,
    ) -> Result<Vec<Rows>, Fault> {
        let now = self.clock.now();
        let business = member.business.id;
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        let request = kept::lock(&mut transaction, request).await?;
        let customer = request
            .and_then(|request| request.customer)
            .ok_or(Fault::NotFound)?;
        let rows = erasure::export(&mut transaction, customer).await?;
        let (id, who) = (self.random.uuid(now), (member.account.id, customer));
        privacy::log(&mut transaction, id, business, who, Access::Exported, now).await?;
        transaction.commit().await?;
        rows.ok_or(Fault::NotFound)
    }

    /// Closes a request and writes the outcome to whoever asked.
    pub(crate) async fn decide(
        &self,
        member: &Member,
        id: Uuid,
        (decision, outcome): (Decision, &str),
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut transaction = store::begin(&self.appointments.pool, member.business.id).await?;
        let request = kept::lock(&mut transaction, id)
            .await?
            .ok_or(Fault::NotFound)?;
        let state = match decision {
            Decision::Done => "done",
            Decision::Refused => "refused",
        };
        let by = Some(member.account.id);
        if !kept::close(&mut transaction, id, state, (outcome, None), by, now).await? {
            return Err(Fault::Refused("the request is closed already"));
        }
        if let Some(email) = &request.email {
            self.answer(&mut transaction, member, &request, (email, outcome), now)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Erases the customer of a request; then the request is answered. The mail that says so
    /// is the last thing that knows the address, and forgets it when it is sent.
    pub(crate) async fn erase(
        &self,
        member: &Member,
        id: Uuid,
        outcome: &str,
    ) -> Result<Erased, Fault> {
        let now = self.clock.now();
        let business = member.business.id;
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        let connection = &mut *transaction;
        let request = kept::lock(connection, id).await?.ok_or(Fault::NotFound)?;
        let customer = request.customer.ok_or(Fault::NotFound)?;
        let rows = erasure::export(connection, customer)
            .await?
            .unwrap_or_default();
        let because = Because::Asked {
            request: Some(id),
            by: member.account.id,
        };
        let erased =
            erasure::erase(connection, &self.random, (business, customer), because, now).await?;
        if erased != Erased::Now {
            return Ok(erased);
        }
        let (by, evidence) = (Some(member.account.id), evidence(&rows));
        let closed = ("Erased.", Some(evidence.as_str()));
        if !kept::close(connection, id, "done", closed, by, now).await? {
            return Err(Fault::Refused("the request is closed already"));
        }
        if let Some(email) = &request.email {
            self.answer(connection, member, &request, (email, outcome), now)
                .await?;
        }
        transaction.commit().await?;
        Ok(erased)
    }

    /// Plans the letter with the outcome.
    async fn answer(
        &self,
        connection: &mut sqlx::PgConnection,
        member: &Member,
        request: &Request,
        (email, outcome): (&str, &str),
        now: Timestamp,
    ) -> Result<(), Fault> {
        let content = json!({
            "path": format!("/{}/privacy", member.business.slug),
            "business": member.business.name,
            "language": request.language,
            "outcome": outcome,
        });
        let mail = Mail {
            id: self.random.uuid(now),
            business: member.business.id,
            request: request.id,
            kind: "privacy.outcome",
            to: email,
            content: &content.to_string(),
        };
        mail.plan(connection, now, None).await?;
        Ok(())
    }

    /// Places a hold over the customer of a request, or lifts it where there is no reason.
    pub(crate) async fn hold_by_law(
        &self,
        member: &Member,
        request: Uuid,
        reason: Option<&str>,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let (business, by) = (member.business.id, member.account.id);
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        let request = kept::lock(&mut transaction, request).await?;
        let customer = request
            .and_then(|request| request.customer)
            .ok_or(Fault::NotFound)?;
        match reason {
            Some(reason) => {
                let id = self.random.uuid(now);
                let by = Some(by);
                privacy::hold(&mut transaction, id, business, customer, reason, by, now).await?;
            }
            None => privacy::lift(&mut transaction, customer, now).await?,
        }
        let (id, who) = (self.random.uuid(now), (by, customer));
        privacy::log(&mut transaction, id, business, who, Access::Changed, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Who of the staff saw whom.
    pub(crate) async fn access_log(&self, member: &Member) -> Result<Vec<Seen>, Fault> {
        let mut transaction = store::begin(&self.appointments.pool, member.business.id).await?;
        let log = incident::log(&mut transaction).await?;
        transaction.rollback().await?;
        Ok(log)
    }

    pub(crate) async fn incidents(&self, member: &Member) -> Result<Vec<Incident>, Fault> {
        let mut transaction = store::begin(&self.appointments.pool, member.business.id).await?;
        let incidents = incident::all(&mut transaction).await?;
        transaction.rollback().await?;
        Ok(incidents)
    }

    /// An incident, and whom it is about.
    pub(crate) async fn incident(
        &self,
        member: &Member,
        id: Uuid,
    ) -> Result<(Incident, Vec<Affected>), Fault> {
        let mut transaction = store::begin(&self.appointments.pool, member.business.id).await?;
        let found = incident::by_id(&mut transaction, id).await?;
        let found = found.ok_or(Fault::NotFound)?;
        let time = (found.began_at, found.ended_at);
        let affected = incident::affected(&mut transaction, found.account, time).await?;
        transaction.rollback().await?;
        Ok((found, affected))
    }

    /// Writes an incident down.
    pub(crate) async fn enter_incident(
        &self,
        member: &Member,
        new: &Incident,
    ) -> Result<(), Fault> {
        let (business, by) = (member.business.id, member.account.id);
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        incident::insert(&mut transaction, business, new, by, self.clock.now()).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Notes what was told to whom.
    pub(crate) async fn tell_of_incident(
        &self,
        member: &Member,
        id: Uuid,
        told: Told<'_>,
    ) -> Result<(), Fault> {
        let mut transaction = store::begin(&self.appointments.pool, member.business.id).await?;
        if !incident::tell(&mut transaction, id, told, self.clock.now()).await? {
            return Err(Fault::NotFound);
        }
        transaction.commit().await?;
        Ok(())
    }
}
