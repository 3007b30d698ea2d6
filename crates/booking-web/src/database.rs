//! How the program connects to PostgreSQL, and how it brings the schema up to date.
//! Several processes may do the latter at once, beside a release that is serving.

use std::str::FromStr as _;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context as _, bail};
use chassis::{ExposeSecret as _, SecretString};
use sqlx::error::DatabaseError;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool};

use crate::store;

/// A schema that a newer release has brought further is no mistake: the older one, which
/// runs beside it or comes back, finds there what it needs.
static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!();
    migrator.set_ignore_missing(true);
    migrator
});

/// Longer than any statement of ours takes; what needs longer has gone astray.
const STATEMENT_WITHIN: &str = "10s";
/// A transaction that does nothing for so long was forgotten by its process.
const IDLE_WITHIN: &str = "20s";
/// Long enough for a rush, and for a database that starts again; shorter than an answer
/// may take, so that whoever waits in vain is told so.
const ACQUIRE_WITHIN: Duration = Duration::from_secs(10);

/// A connection that was used so recently is taken to live.
const TRUSTED_FOR: Duration = Duration::from_secs(2);

/// A schema change that waits for a lock makes every visitor behind it wait too, so it
/// gives up soon and tries again.
const LOCK_WITHIN: &str = "3s";
const LOCK_ATTEMPTS: u32 = 40;

/// The schema level that this release needs: the newest migration that it knows.
pub(crate) fn level() -> i64 {
    MIGRATOR.iter().map(|m| m.version).max().unwrap_or(0)
}

/// A pool that connects when it is first used, so that the program starts and says
/// what is wrong also while the database is away.
pub(crate) fn pool(url: &SecretString, connections: u32) -> anyhow::Result<PgPool> {
    let options = options(url)?.options([
        ("statement_timeout", STATEMENT_WITHIN),
        ("idle_in_transaction_session_timeout", IDLE_WITHIN),
    ]);
    Ok(PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_WITHIN)
        // Asking a connection whether it still lives costs as much as a small query, so
        // only those that nobody used for a while are asked.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > TRUSTED_FOR {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options))
}

/// One connection, for the commands that only touch the database.
pub(crate) async fn connect(url: &SecretString) -> anyhow::Result<PgConnection> {
    open(&options(url)?).await
}

async fn open(options: &PgConnectOptions) -> anyhow::Result<PgConnection> {
    PgConnection::connect_with(options)
        .await
        .context("connecting to the database")
}

/// Applies what is missing and gives the level that the schema has then.
pub(crate) async fn migrate(url: &SecretString) -> anyhow::Result<i64> {
    let mut connection = open(&options(url)?.options([("lock_timeout", LOCK_WITHIN)])).await?;
    if store::probe::may_bypass_row_security(&mut connection).await? {
        bail!(
            "the role in DATABASE_URL passes by row-level security, so businesses would not be \
             kept apart; use a role that is neither superuser nor BYPASSRLS"
        );
    }
    for attempt in 1..=LOCK_ATTEMPTS {
        match MIGRATOR.run(&mut connection).await {
            Ok(()) => {
                let reached = store::probe::schema_level(&mut connection).await;
                let reached = reached.context("reading the schema's level")?;
                connection.close().await.context("closing the connection")?;
                return Ok(reached);
            }
            Err(error) if waited_for_a_lock(&error) => {
                tracing::info!(attempt, "somebody holds a lock; trying again");
            }
            Err(error) => return Err(in_words(error)),
        }
    }
    bail!("another process held a lock for too long; nothing was changed, run it again")
}

fn options(url: &SecretString) -> anyhow::Result<PgConnectOptions> {
    // The cause could hold the address, and with it the password.
    PgConnectOptions::from_str(url.expose_secret())
        .map(|options| options.application_name("booking"))
        .map_err(|_| anyhow::anyhow!("DATABASE_URL cannot be read as an address"))
}

/// Whether the change gave way to somebody else's lock: it waited for too long, or both would
/// have waited for ever.
fn waited_for_a_lock(error: &MigrateError) -> bool {
    let (MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _)) = error else {
        return false;
    };
    let code = cause.as_database_error().and_then(DatabaseError::code);
    matches!(code.as_deref(), Some("55P03" | "40P01"))
}

fn in_words(error: MigrateError) -> anyhow::Error {
    match error {
        MigrateError::VersionMismatch(version) => anyhow::anyhow!(
            "migration {version} was applied with another content; a migration never changes \
             after it was released"
        ),
        MigrateError::ExecuteMigration(cause, version) => {
            anyhow::Error::new(cause).context(format!("applying migration {version}"))
        }
        other => anyhow::Error::new(other).context("bringing the schema up to date"),
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Executor as _;

    use super::*;

    #[test]
    fn an_address_that_cannot_be_read_is_not_shown() {
        let url = SecretString::from("postgres://app:hunter2@[::bad/booking");
        let message = format!("{:#}", options(&url).unwrap_err());
        assert!(!message.contains("hunter2"), "{message}");
    }

    /// Polls a future so many times and gives it up, as when its visitor has gone.
    async fn given_up_after(polls: usize, future: impl Future) {
        let mut future = std::pin::pin!(future);
        for _ in 0..polls {
            if futures_util::poll!(&mut future).is_ready() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_transaction_that_was_given_up_while_it_began_is_over_for_whoever_comes_next() {
        let services = testkit::services::shared().unwrap();
        let world = testkit::postgres::Database::empty(&services.postgres);
        let world = world.await.unwrap();
        let pool = pool(&world.url().into(), 1).unwrap();
        for polls in 0..60 {
            given_up_after(polls, store::begin(&pool, uuid::Uuid::from_u128(7))).await;
            // What is said for a transaction is gone with the statement, where there is none.
            let mut connection = pool.acquire().await.unwrap();
            for said in ["booking.business", "booking.said"] {
                let left: Option<String> = sqlx::query_scalar("select current_setting($1, true)")
                    .bind(said)
                    .fetch_one(&mut *connection)
                    .await
                    .unwrap();
                assert_eq!(left.unwrap_or_default(), "", "{said} after {polls} polls");
                connection
                    .execute("select set_config('booking.said', 'something', true)")
                    .await
                    .unwrap();
            }
        }
    }
}
