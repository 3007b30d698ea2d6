//! The audit as it is sealed: its entries, and the links of the chain over them.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::stored;

/// An entry of the audit, with all that its hash is made of.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: Uuid,
    pub(crate) at: OffsetDateTime,
    pub(crate) actor: String,
    pub(crate) actor_id: Option<Uuid>,
    pub(crate) action: String,
    pub(crate) subject: Uuid,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// The end of a chain.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    pub(crate) seq: i64,
    pub(crate) hash: Vec<u8>,
    /// When its entry was written; none where there is none any more.
    pub(crate) at: Option<OffsetDateTime>,
}

/// The last link of the business in scope; none where nothing was sealed.
pub(crate) async fn head(connection: &mut PgConnection) -> sqlx::Result<Option<Head>> {
    sqlx::query_as!(
        Head,
        r#"select link.seq, link.hash, audit.at as "at?"
         from audit_link as link left join audit on audit.id = link.audit_id
         order by link.seq desc limit 1"#
    )
    .fetch_optional(connection)
    .await
}

/// Waits until nobody else seals the business; whoever books does not wait for this.
pub(crate) async fn lock(connection: &mut PgConnection, business: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended('audit ' || $1::text, 0))",
        business.to_string()
    )
    .fetch_one(connection)
    .await?;
    Ok(())
}

/// Up to a thousand entries without a link, from `since` on, in their order.
pub(crate) async fn unsealed(
    connection: &mut PgConnection,
    since: jiff::Timestamp,
) -> sqlx::Result<Vec<Entry>> {
    sqlx::query_as!(
        Entry,
        "select id, at, actor, actor_id, action, subject, before::text as before,
             after::text as after
         from audit
         where at >= $1 and not exists (select from audit_link where audit_id = audit.id)
         order by at, id limit 1000",
        stored(since)
    )
    .fetch_all(connection)
    .await
}

/// Appends links: each entry with its place and its hash.
pub(crate) async fn append(
    connection: &mut PgConnection,
    business: Uuid,
    seqs: &[i64],
    entries: &[Uuid],
    hashes: &[Vec<u8>],
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into audit_link (business_id, seq, audit_id, hash)
         select $1, link.seq, link.entry, link.hash
         from unnest($2::bigint[], $3::uuid[], $4::bytea[]) as link (seq, entry, hash)",
        business,
        seqs,
        entries,
        hashes
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A link with its entry, if that is still there.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) seq: i64,
    pub(crate) audit_id: Uuid,
    pub(crate) hash: Vec<u8>,
    pub(crate) entry: Option<Entry>,
}

/// Up to a thousand links after `seq`, in their order.
pub(crate) async fn links(connection: &mut PgConnection, seq: i64) -> sqlx::Result<Vec<Link>> {
    let rows = sqlx::query!(
        r#"select link.seq, link.audit_id, link.hash, audit.id as "id?", audit.at as "at?",
             audit.actor as "actor?", audit.actor_id, audit.action as "action?",
             audit.subject as "subject?", audit.before::text as before,
             audit.after::text as after
         from audit_link as link left join audit on audit.id = link.audit_id
         where link.seq > $1 order by link.seq limit 1000"#,
        seq
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let parts = (row.id, row.at, row.actor, row.action, row.subject);
            let entry = match parts {
                (Some(id), Some(at), Some(actor), Some(action), Some(subject)) => Some(Entry {
                    id,
                    at,
                    actor,
                    actor_id: row.actor_id,
                    action,
                    subject,
                    before: row.before,
                    after: row.after,
                }),
                _ => None,
            };
            Link {
                seq: row.seq,
                audit_id: row.audit_id,
                hash: row.hash,
                entry,
            }
        })
        .collect())
}
