//! The chain over the audit of a business: each link's hash is made of the one before it and
//! of the whole entry, so that an entry that was changed, removed or slipped in is found.
//! Entries are written in the transactions of what they are about, without waiting for each
//! other; sealing follows in batches, one sealer at a time for each business. A chain in the
//! writes themselves would make all bookings of a business wait in line.

use jiff::{SignedDuration, Timestamp};
use sqlx::PgPool;
use uuid::Uuid;

use crate::store;
use crate::store::chain::{self, Entry, Head};

/// No transaction lasts so long: what was written so long before the last sealed entry and
/// has no link was slipped in.
const WRITTEN_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// Where a chain is broken, or that it is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Chain {
    /// So many entries, the last of which has this hash.
    Whole { entries: i64, head: String },
    /// The first link that does not follow from what is there.
    Broken { seq: i64, entry: Uuid, why: Break },
}

/// What is wrong with a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Break {
    #[error("the entry or a link before it was changed")]
    Changed,
    #[error("the entry was removed")]
    Removed,
    #[error("a link is missing before it")]
    Gap,
    #[error("an old entry has no link: it was slipped in, or its link was removed")]
    SlippedIn,
}

/// The hash of a link: every field with its length before it.
fn link_hash(before: &[u8], seq: i64, entry: &Entry) -> [u8; 32] {
    let at = store::instant(entry.at).as_microsecond().to_be_bytes();
    let seq = seq.to_be_bytes();
    let nobody = Uuid::nil();
    let fields: [&[u8]; 10] = [
        before,
        &seq,
        entry.id.as_bytes(),
        &at,
        entry.actor.as_bytes(),
        entry.actor_id.as_ref().unwrap_or(&nobody).as_bytes(),
        entry.action.as_bytes(),
        entry.subject.as_bytes(),
        entry.before.as_deref().unwrap_or_default().as_bytes(),
        entry.after.as_deref().unwrap_or_default().as_bytes(),
    ];
    let mut hasher = blake3::Hasher::new_derive_key("booking 2026 audit chain");
    for field in fields {
        hasher.update(&(field.len() as u64).to_be_bytes());
        hasher.update(field);
    }
    *hasher.finalize().as_bytes()
}

/// Seals what was written since the last time, of every business. Gives how many entries.
pub(crate) async fn seal(pool: &PgPool) -> sqlx::Result<u64> {
    let businesses = {
        let mut connection = pool.acquire().await?;
        store::privacy::businesses(&mut connection).await?
    };
    let mut sealed = 0;
    for business in businesses {
        loop {
            let some = seal_some(pool, business).await?;
            sealed += some;
            if some == 0 {
                break;
            }
        }
    }
    Ok(sealed)
}

/// From when on an entry without a link can be one that is simply new. The first time all
/// are.
fn new_since(head: &Head) -> Timestamp {
    let last = head.at.map_or(Timestamp::UNIX_EPOCH, store::instant);
    last.saturating_sub(WRITTEN_WITHIN)
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

async fn seal_some(pool: &PgPool, business: Uuid) -> sqlx::Result<u64> {
    let mut transaction = store::begin(pool, business).await?;
    chain::lock(&mut transaction, business).await?;
    let head = chain::head(&mut transaction).await?;
    let head = head.unwrap_or_default();
    let entries = chain::unsealed(&mut transaction, new_since(&head)).await?;
    let (mut seq, mut hash) = (head.seq, head.hash);
    let (mut seqs, mut ids, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for entry in &entries {
        seq += 1;
        hash = link_hash(&hash, seq, entry).to_vec();
        seqs.push(seq);
        ids.push(entry.id);
        hashes.push(hash.clone());
    }
    if !ids.is_empty() {
        chain::append(&mut transaction, business, &seqs, &ids, &hashes).await?;
    }
    transaction.commit().await?;
    Ok(u64::try_from(ids.len()).unwrap_or_default())
}

/// Follows the chain of a business from its beginning, and names the first broken link.
pub(crate) async fn verify(pool: &PgPool, business: Uuid) -> sqlx::Result<Chain> {
    let mut transaction = store::begin(pool, business).await?;
    let (mut seq, mut hash) = (0, Vec::new());
    loop {
        let links = chain::links(&mut transaction, seq).await?;
        if links.is_empty() {
            break;
        }
        for link in links {
            let broken = |why| Chain::Broken {
                seq: link.seq,
                entry: link.audit_id,
                why,
            };
            if link.seq != seq + 1 {
                return Ok(broken(Break::Gap));
            }
            let Some(entry) = &link.entry else {
                return Ok(broken(Break::Removed));
            };
            if link_hash(&hash, link.seq, entry) != *link.hash {
                return Ok(broken(Break::Changed));
            }
            (seq, hash) = (link.seq, link.hash);
        }
    }
    let head = chain::head(&mut transaction).await?.unwrap_or_default();
    let unsealed = chain::unsealed(&mut transaction, Timestamp::UNIX_EPOCH).await?;
    transaction.rollback().await?;
    let stray = unsealed
        .first()
        .filter(|entry| seq > 0 && store::instant(entry.at) < new_since(&head));
    Ok(match stray {
        Some(entry) => Chain::Broken {
            seq: seq + 1,
            entry: entry.id,
            why: Break::SlippedIn,
        },
        None => Chain::Whole {
            entries: seq,
            head: data_encoding::HEXLOWER.encode(&hash),
        },
    })
}

/// Follows the chain of every business; the words say where one is broken.
pub(crate) async fn verify_all(pool: &PgPool) -> anyhow::Result<Vec<String>> {
    let businesses = {
        let mut connection = pool.acquire().await?;
        store::privacy::businesses(&mut connection).await?
    };
    let mut broken = Vec::new();
    for business in businesses {
        match verify(pool, business).await? {
            Chain::Whole { entries, head } => {
                tracing::info!(%business, entries, head, "the audit is whole");
            }
            Chain::Broken { seq, entry, why } => {
                broken.push(format!(
                    "business {business}, link {seq}, entry {entry}: {why}"
                ));
            }
        }
    }
    Ok(broken)
}

#[cfg(test)]
#[path = "audit/tests/chain.rs"]
mod chain_tests;
