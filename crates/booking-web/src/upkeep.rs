//! The commands that look after what is kept: the audit's chain, and erasures that an older
//! backup has undone.

use std::io::{BufRead, Write};

use anyhow::{Context as _, bail};
use chassis::{Clock, Env, Random};
use sqlx::PgPool;

use crate::privacy::erasure::{self, Entry};
use crate::{audit, config, database};

fn pool(env: &Env) -> anyhow::Result<PgPool> {
    database::pool(&config::database_url_only(env)?, 2)
}

/// Fails where a chain is broken, and names the first broken entry of each.
pub(crate) async fn verify_audit(env: &Env) -> anyhow::Result<()> {
    let broken = audit::verify_all(&pool(env)?).await?;
    if broken.is_empty() {
        return Ok(());
    }
    bail!("the audit is broken:\n  - {}", broken.join("\n  - "))
}

/// Appends what is new to every chain.
pub(crate) async fn seal_audit(env: &Env) -> anyhow::Result<()> {
    let sealed = audit::seal(&pool(env)?).await?;
    tracing::info!(sealed, "the audit is sealed");
    Ok(())
}

/// One line for each who was erased.
pub(crate) async fn list_erasures(env: &Env, to: &mut impl Write) -> anyhow::Result<()> {
    for entry in erasure::list(&pool(env)?).await? {
        writeln!(to, "{}", entry.line()).context("writing the list")?;
    }
    Ok(())
}

/// Erases whoever is in the list that is read. A line that is none is a mistake, before
/// anything is done.
pub(crate) async fn reapply(
    env: &Env,
    list: impl BufRead,
    clock: &Clock,
    random: &Random,
) -> anyhow::Result<()> {
    let mut entries = Vec::new();
    for (number, line) in list.lines().enumerate() {
        let line = line.context("reading the list")?;
        if line.trim().is_empty() {
            continue;
        }
        let entry = Entry::parse(&line);
        entries.push(entry.with_context(|| format!("line {} of the list is none", number + 1))?);
    }
    let erased = erasure::again(&pool(env)?, random, &entries, clock.now()).await?;
    tracing::info!(listed = entries.len(), erased, "erased again");
    Ok(())
}
