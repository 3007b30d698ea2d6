//! The statements that make roles and databases for tests. Names are our own, made of
//! letters, digits and underscores, so they may stand in a statement as they are.

use anyhow::{Context as _, ensure};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

/// Held while a template is made; any number that nothing else uses.
const TEMPLATE_LOCK: i64 = 7_203_117;

/// Makes `template` by `prepare`, unless it is there. Processes that share the server
/// wait for one another.
pub(crate) async fn template(
    admin: &str,
    role: &str,
    template: &str,
    prepare: impl AsyncFnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    ensure!(is_plain(template), "{template} is no plain name");
    let mut connection = connect(admin).await?;
    if is_template(&mut connection, template).await? {
        return connection.close().await.context("closing a connection");
    }
    sqlx::query("select pg_advisory_lock($1)")
        .bind(TEMPLATE_LOCK)
        .execute(&mut connection)
        .await?;
    if !is_template(&mut connection, template).await? {
        // What an interrupted attempt left behind is no template yet.
        run(
            &mut connection,
            format!("drop database if exists {template}"),
        )
        .await?;
        make_role(&mut connection, role).await?;
        run(
            &mut connection,
            format!("create database {template} owner {role}"),
        )
        .await?;
        prepare().await.context("filling the template")?;
        run(
            &mut connection,
            format!("alter database {template} is_template true"),
        )
        .await?;
    }
    // Closing the connection gives the lock back.
    connection.close().await.context("closing a connection")
}

/// A copy of `template` under a name that nobody has.
pub(crate) async fn clone(admin: &str, role: &str, template: &str) -> anyhow::Result<String> {
    let mut connection = connect(admin).await?;
    let name = next_name(&mut connection).await?;
    let statement = format!("create database {name} template {template} owner {role}");
    run(&mut connection, statement).await?;
    connection.close().await?;
    Ok(name)
}

/// An empty database under a name that nobody has.
pub(crate) async fn unused_name(admin: &str, role: &str) -> anyhow::Result<String> {
    let mut connection = connect(admin).await?;
    sqlx::query("select pg_advisory_lock($1)")
        .bind(TEMPLATE_LOCK)
        .execute(&mut connection)
        .await?;
    make_role(&mut connection, role).await?;
    let name = next_name(&mut connection).await?;
    run(
        &mut connection,
        format!("create database {name} owner {role}"),
    )
    .await?;
    connection.close().await?;
    Ok(name)
}

async fn connect(admin: &str) -> anyhow::Result<PgConnection> {
    PgConnection::connect(admin)
        .await
        .context("connecting to the PostgreSQL of the tests")
}

async fn is_template(connection: &mut PgConnection, name: &str) -> anyhow::Result<bool> {
    let is_template = sqlx::query_scalar(
        "select exists (select from pg_database where datname = $1 and datistemplate)",
    )
    .bind(name)
    .fetch_one(connection)
    .await?;
    Ok(is_template)
}

async fn make_role(connection: &mut PgConnection, role: &str) -> anyhow::Result<()> {
    let is_there: bool =
        sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
            .bind(role)
            .fetch_one(&mut *connection)
            .await?;
    if is_there {
        return Ok(());
    }
    run(connection, format!("create role {role} login")).await
}

/// A transaction id is given out once, so it names a database that nobody else makes.
async fn next_name(connection: &mut PgConnection) -> anyhow::Result<String> {
    let number: String = sqlx::query_scalar("select pg_current_xact_id()::text")
        .fetch_one(connection)
        .await?;
    Ok(format!("test_{number}"))
}

async fn run(connection: &mut PgConnection, statement: String) -> anyhow::Result<()> {
    connection
        .execute(AssertSqlSafe(statement))
        .await
        .context("making a database for a test")?;
    Ok(())
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}
