//! Erasing a person, and finding everything about them. What the law keeps stays under an
//! id that leads to nobody: bookings with their money and times, the audit, and hashes of
//! addresses that want no messages. Visits that are still to come are never erased away:
//! they are cancelled first, by the rules for that.

use chassis::Random;
use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::store;
use crate::store::person::{self, Rows};
use crate::store::privacy::{self, Access};
use crate::store::record;

/// Why somebody is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Because {
    /// They asked for it, and somebody of the staff agreed.
    Asked { request: Option<Uuid>, by: Uuid },
    /// They came last before then, and the time for which their data is kept is over.
    TimeIsOver { before: Timestamp },
    /// They were erased before, and an older backup has brought them back.
    Again,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Erased {
    Now,
    /// They were erased before; nothing changed.
    Before,
    /// A visit is still to come, which has to be cancelled first.
    HasBookings,
    /// A legal hold stands.
    Held,
    /// The time is over for this record, and not for another one of the same person.
    TooSoon,
    Unknown,
}

/// What is kept of who was erased: it leads back to nobody, and to the same row in an older
/// backup.
pub(crate) fn subject_hash(business: Uuid, customer: Uuid) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("booking 2026 erased customers");
    hasher.update(business.as_bytes());
    hasher.update(customer.as_bytes());
    *hasher.finalize().as_bytes()
}

/// Erases a customer of `business`, which is in scope, with all who were merged into them.
pub(crate) async fn erase(
    connection: &mut PgConnection,
    random: &Random,
    (business, customer): (Uuid, Uuid),
    because: Because,
    now: Timestamp,
) -> sqlx::Result<Erased> {
    let Some(found) = person::lock(connection, customer).await? else {
        return Ok(Erased::Unknown);
    };
    if privacy::is_erased(connection, customer).await? {
        return Ok(Erased::Before);
    }
    // What an older backup brings back was decided about before.
    if because != Because::Again {
        if privacy::is_held(connection, &found.customers).await? {
            return Ok(Erased::Held);
        }
        if privacy::has_bookings_ahead(connection, &found.customers, now).await? {
            return Ok(Erased::HasBookings);
        }
    }
    if let Because::TimeIsOver { before } = because
        && privacy::is_recent(connection, &found.customers, before).await?
    {
        return Ok(Erased::TooSoon);
    }
    person::erase(connection, &found).await?;
    privacy::mark_erased(connection, &found.customers, now).await?;
    let request = match because {
        Because::Asked { request, .. } => request,
        Because::TimeIsOver { .. } | Because::Again => None,
    };
    for id in &found.customers {
        let hash = subject_hash(business, *id);
        privacy::list_erased(connection, business, &hash, request, now).await?;
    }
    if let Because::Asked { by, .. } = because {
        let id = random.uuid(now);
        let who = (by, customer);
        privacy::log(connection, id, business, who, Access::Erased, now).await?;
    }
    record::audit_change(
        connection,
        &audit(random, (business, customer), because, now),
    )
    .await?;
    Ok(Erased::Now)
}

fn audit(
    random: &Random,
    (business, customer): (Uuid, Uuid),
    because: Because,
    now: Timestamp,
) -> record::Audit<'static> {
    let (actor, actor_id) = match because {
        Because::Asked { by, .. } => ("business", Some(by)),
        Because::TimeIsOver { .. } | Because::Again => ("clock", None),
    };
    record::Audit {
        id: random.uuid(now),
        business,
        actor,
        actor_id,
        action: "customer.erased",
        subject: customer,
        before: None,
        after: None,
        now,
    }
}

/// What is kept about a customer of the business in scope; none where there is no such
/// customer.
pub(crate) async fn export(
    connection: &mut PgConnection,
    customer: Uuid,
) -> sqlx::Result<Option<Vec<Rows>>> {
    let Some(found) = person::lock(connection, customer).await? else {
        return Ok(None);
    };
    person::export(connection, &found).await.map(Some)
}

/// One entry of the list of who was erased, as it is kept beside backups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) business: Uuid,
    pub(crate) subject_hash: Vec<u8>,
}

impl Entry {
    /// `business hash`, on one line.
    pub(crate) fn line(&self) -> String {
        let hash = data_encoding::HEXLOWER.encode(&self.subject_hash);
        format!("{} {hash}", self.business)
    }

    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (business, hash) = line.trim().split_once(' ')?;
        let subject_hash = data_encoding::HEXLOWER.decode(hash.as_bytes()).ok()?;
        (subject_hash.len() == 32).then_some(Self {
            business: business.parse().ok()?,
            subject_hash,
        })
    }
}

/// The list of who was erased, of every business.
pub(crate) async fn list(pool: &PgPool) -> sqlx::Result<Vec<Entry>> {
    let mut list = Vec::new();
    for business in businesses(pool).await? {
        let mut transaction = store::begin(pool, business).await?;
        let erased = privacy::erased(&mut transaction).await?;
        transaction.rollback().await?;
        list.extend(erased.into_iter().map(|(subject_hash, _)| Entry {
            business,
            subject_hash,
        }));
    }
    Ok(list)
}

/// Erases again whoever is in the list and still, or again, has a name. Gives their number.
pub(crate) async fn again(
    pool: &PgPool,
    random: &Random,
    list: &[Entry],
    now: Timestamp,
) -> sqlx::Result<usize> {
    let mut erased = 0;
    for business in businesses(pool).await? {
        let mut transaction = store::begin(pool, business).await?;
        for customer in privacy::customers(&mut transaction).await? {
            let hash = subject_hash(business, customer);
            let is_listed = list
                .iter()
                .any(|entry| entry.business == business && entry.subject_hash == hash);
            if !is_listed {
                continue;
            }
            let who = (business, customer);
            let done = erase(&mut transaction, random, who, Because::Again, now).await?;
            erased += usize::from(done == Erased::Now);
        }
        transaction.commit().await?;
    }
    Ok(erased)
}

pub(super) async fn businesses(pool: &PgPool) -> sqlx::Result<Vec<Uuid>> {
    let mut connection = pool.acquire().await?;
    privacy::businesses(&mut connection).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_back_and_nothing_else_is() {
        let entry = Entry {
            business: Uuid::from_u128(7),
            subject_hash: subject_hash(Uuid::from_u128(7), Uuid::from_u128(8)).to_vec(),
        };
        assert_eq!(Entry::parse(&entry.line()), Some(entry.clone()));
        for broken in ["", "a b", &entry.line().replace(' ', ""), "# a remark"] {
            assert_eq!(Entry::parse(broken), None, "{broken}");
        }
    }
}
