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
use crate::store::customer;
use crate::store::incident::{self, Affected, Incident, Seen, Told};
use crate::store::person::{self, Rows};
use crate::store::privacy::{self, Access, Viewer};
use crate::store::request::{self as kept, NewRequest, Request};

/// What somebody asked another way than on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entered {
    pub(crate) kind: Kind,
    pub(crate) channel: &'static str,
    pub(crate) by: Whom,
    pub(crate) details: Option<String>,
}

/// Who asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whom {
    Email(String),
    /// A customer who is known, and may have no address.
    Customer(Uuid),
}

/// What somebody of the staff decides about a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holding {
    Place,
    Lift,
}

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
        let shown: Vec<_> = requests.iter().filter_map(|r| r.customer).collect();
        self.saw(&mut transaction, member, &shown).await?;
        transaction.commit().await?;
        Ok(requests)
    }

    /// Writes down that a member was shown these customers in a list.
    pub(crate) async fn saw(
        &self,
        connection: &mut sqlx::PgConnection,
        member: &Member,
        customers: &[Uuid],
    ) -> Result<(), Fault> {
        let viewer = Viewer::Account(member.account.id);
        self.shown_to(connection, member.business.id, viewer, customers)
            .await
    }

    /// Writes down who was shown these customers in a list.
    pub(crate) async fn shown_to(
        &self,
        connection: &mut sqlx::PgConnection,
        business: Uuid,
        viewer: Viewer,
        customers: &[Uuid],
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let ids: Vec<_> = customers.iter().map(|_| self.random.uuid(now)).collect();
        let seen = (ids.as_slice(), customers);
        Ok(privacy::log_seen(connection, business, viewer, seen, now).await?)
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
        let mut is_held = false;
        if let Some(customer) = request.customer {
            let found = person::lock(&mut transaction, customer).await?;
            let customers = found.map(|found| found.customers).unwrap_or_default();
            is_held = privacy::is_held(&mut transaction, &customers).await?;
            self.saw(&mut transaction, member, &[customer]).await?;
        }
        transaction.commit().await?;
        Ok((request, is_held))
    }

    /// Writes down what somebody asked for by telephone, by letter or at the door, whose
    /// identity was seen by whoever writes it down.
    pub(crate) async fn enter_request(
        &self,
        member: &Member,
        entered: &Entered,
    ) -> Result<Uuid, Fault> {
        let now = self.clock.now();
        let id = self.random.uuid(now);
        let business = &member.business;
        let mut transaction = store::begin(&self.appointments.pool, business.id).await?;
        let connection = &mut *transaction;
        let (email, customer) = match &entered.by {
            Whom::Email(email) => {
                let customer = privacy::customer_of(connection, email).await?;
                (Some(email.clone()), customer)
            }
            Whom::Customer(id) => {
                let customer = customer::by_id(connection, *id).await?;
                let customer = customer.ok_or(Fault::NotFound)?;
                (customer.email, Some(customer.merged_into.unwrap_or(*id)))
            }
        };
        let new = NewRequest {
            id,
            business: business.id,
            kind: entered.kind.as_str(),
            channel: entered.channel,
            state: "open",
            email: email.as_deref(),
            customer,
            details: entered.details.as_deref(),
            language: business.language.tag(),
            link: None,
            received: now,
            due: clock::due(now),
        };
        kept::insert(connection, &new).await?;
        let (by, what) = (member.account.id, ("privacy.asked", id));
        self.note(connection, business.id, by, what).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// The name of a customer about whom a request is to be written down.
    pub(crate) async fn asker(&self, member: &Member, customer: Uuid) -> Result<String, Fault> {
        let mut transaction = store::begin(&self.appointments.pool, member.business.id).await?;
        let found = customer::by_id(&mut transaction, customer).await?;
        let found = found.ok_or(Fault::NotFound)?;
        self.saw(&mut transaction, member, &[customer]).await?;
        transaction.commit().await?;
        Ok(found.name)
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
        let (state, action) = match decision {
            Decision::Done => ("done", "privacy.answered"),
            Decision::Refused => ("refused", "privacy.refused"),
        };
        let by = Some(member.account.id);
        if !kept::close(&mut transaction, id, state, (outcome, None), by, now).await? {
            return Err(Fault::Refused("the request is closed already"));
        }
        let (business, by) = (member.business.id, member.account.id);
        self.note(&mut transaction, business, by, (action, id))
            .await?;
        if let Some(email) = &request.email {
            self.answer(&mut transaction, member, &request, (email, outcome), now)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Erases the customer of a request; then the request is answered. The mail that says so
    /// is the last thing that knows the address, and forgets it when it is sent. Where they
    /// were erased before, the request is answered all the same.
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
        if !matches!(erased, Erased::Now | Erased::Before) {
            return Ok(erased);
        }
        let (by, evidence) = (Some(member.account.id), evidence(&rows));
        let closed = ("Erased.", Some(evidence.as_str()));
        if !kept::close(connection, id, "done", closed, by, now).await? {
            return Err(Fault::Refused("the request is closed already"));
        }
        let what = ("privacy.answered", id);
        self.note(connection, business, member.account.id, what)
            .await?;
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

    /// Places a hold over the customer of a request, or lifts those that stand.
    pub(crate) async fn hold_by_law(
        &self,
        member: &Member,
        request: Uuid,
        (holding, reason): (Holding, &str),
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let (business, by) = (member.business.id, member.account.id);
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        let connection = &mut *transaction;
        let request = kept::lock(connection, request).await?;
        let customer = request
            .and_then(|request| request.customer)
            .ok_or(Fault::NotFound)?;
        let found = person::lock(connection, customer).await?;
        let customers = found.ok_or(Fault::NotFound)?.customers;
        let is_held = privacy::is_held(connection, &customers).await?;
        let action = match holding {
            Holding::Place if !is_held => {
                let id = self.random.uuid(now);
                let by = Some(by);
                privacy::hold(connection, id, business, customer, reason, by, now).await?;
                "customer.held"
            }
            Holding::Lift if is_held => {
                privacy::lift(connection, &customers, reason, Some(by), now).await?;
                "customer.hold_lifted"
            }
            Holding::Place | Holding::Lift => return Ok(()),
        };
        let (id, who) = (self.random.uuid(now), (by, customer));
        privacy::log(connection, id, business, who, Access::Changed, now).await?;
        self.note(connection, business, by, (action, customer))
            .await?;
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
        let shown: Vec<_> = affected.iter().map(|person| person.customer).collect();
        self.saw(&mut transaction, member, &shown).await?;
        transaction.commit().await?;
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
        let what = ("incident.entered", new.id);
        self.note(&mut transaction, business, by, what).await?;
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
        let (business, by) = (member.business.id, member.account.id);
        self.note(&mut transaction, business, by, ("incident.told", id))
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}
