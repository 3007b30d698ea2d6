//! Many clients on one free time of Booking, over HTTP, round after round; and beside
//! it, on the same server, the bare statement that decides, by `pgbench`.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use serde_json::json;
use testkit::postgres::Database;
use testkit::services::Services;
use testkit::visitor::Visitor;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::site::{self, Site};

/// A service that one person gives, so that one booking is all that fits.
const BUSINESS: &str = "the-quiet-room";
const SERVICE: &str = "private-yoga";
const PATIENCE: Duration = Duration::from_secs(120);

/// The shape of the measurement.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Options {
    /// Clients that want the same time at once
    #[arg(long, default_value_t = 200)]
    clients: usize,
    /// Rounds, each about another time
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    /// Measure the build for development instead of the one that is delivered
    #[arg(long)]
    debug: bool,
}

/// What one way of claiming came to, all rounds together.
#[derive(Debug, Default)]
struct Measured {
    winners: usize,
    conflicts: usize,
    others: usize,
    took_ms: Vec<f64>,
    deadlocks: i64,
}

pub(crate) fn run(root: &Path, options: Options) -> anyhow::Result<()> {
    let program = site::build(root, if options.debug { "dev" } else { "release" })?;
    let services = Services::start()?;
    let site = Site::start(&program, &services)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting a runtime")?;
    let mut booking = Measured::default();
    for round in 0..options.rounds {
        runtime.block_on(contest(&site.address, options.clients, round, &mut booking))?;
    }
    booking.deadlocks = deadlocks(&site.database)?;
    let mut rows = vec![("Booking, over HTTP", booking)];
    rows.push(("the bare statement", bare(&site.database, options)?));
    print!("{}", table(options, &rows));
    site.end()?;
    verify(options, &rows)
}

/// One round over HTTP: everybody is connected and ready before the first one asks.
async fn contest(
    address: &str,
    clients: usize,
    round: usize,
    into: &mut Measured,
) -> anyhow::Result<()> {
    let address: SocketAddr = address
        .trim_start_matches("http://")
        .parse()
        .context("reading the address of Booking")?;
    let start = free_time(address).await?;
    let ready = std::sync::Arc::new(Barrier::new(clients));
    let mut tasks = JoinSet::new();
    for client in 0..clients {
        let (ready, start) = (std::sync::Arc::clone(&ready), start.clone());
        tasks.spawn(async move {
            let name = format!("client-{client}");
            let mut visitor = Visitor::new(address, &name).within(PATIENCE);
            let connected = visitor.get("/health").await;
            ready.wait().await;
            let key = format!("{round}-{client}");
            let wish = json!({
                "service": SERVICE,
                "start": start,
                "name": "A client",
                "email": format!("{name}@example.com"),
            });
            let path = format!("/api/v1/businesses/{BUSINESS}/bookings");
            let outcome = visitor
                .post_json(&path, &[("idempotency-key", &key)], &wish)
                .await;
            connected.answer.map(|_| outcome)
        });
    }
    while let Some(done) = tasks.join_next().await {
        let outcome = done
            .context("a client broke")?
            .map_err(|error| anyhow::anyhow!("a client could not connect: {error}"))?;
        into.took_ms.push(outcome.took.as_secs_f64() * 1000.0);
        match outcome.status().map(|status| status.as_u16()) {
            Some(201) => into.winners += 1,
            Some(409) => into.conflicts += 1,
            _ => into.others += 1,
        }
    }
    Ok(())
}

async fn free_time(address: SocketAddr) -> anyhow::Result<String> {
    let path = format!("/api/v1/businesses/{BUSINESS}/services/{SERVICE}/availability?days=31");
    let outcome = Visitor::new(address, "looks").get(&path).await;
    let answer = outcome.answer.map_err(|error| anyhow::anyhow!("{error}"))?;
    let slots = answer.json();
    let start = slots
        .pointer("/slots/0/start")
        .and_then(|start| start.as_str());
    Ok(start.context("nothing is free")?.to_owned())
}

/// The statement by itself, as many sessions at once as there are clients.
fn bare(database: &Database, options: Options) -> anyhow::Result<Measured> {
    let folder = tempfile::tempdir().context("making a folder")?;
    let mut measured = Measured::default();
    let before = deadlocks(database)?;
    for round in 0..options.rounds {
        psql(
            database,
            "create table if not exists race (id bigserial, lane integer, during tstzrange,
                 exclude using gist (lane with =, during with &&)); truncate race",
        )?;
        let script = folder.path().join("race.sql");
        let statement = format!(
            "insert into race (lane, during) values ({round},
                 tstzrange('2030-01-01 08:00Z', '2030-01-01 09:00Z')) on conflict do nothing;"
        );
        fs::write(&script, statement).context("writing the statement")?;
        let log = folder.path().join(format!("round-{round}"));
        let output = Command::new("pgbench")
            .arg("--no-vacuum")
            .args(["--jobs=2", "--transactions=1", "--log"])
            .arg(format!("--client={}", options.clients))
            .arg(format!("--log-prefix={}", log.display()))
            .arg("--file")
            .arg(&script)
            .arg(database.admin_url())
            .stdin(Stdio::null())
            .output()
            .context("starting pgbench")?;
        if !output.status.success() {
            bail!(
                "pgbench: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let winners: usize = psql(database, "select count(*) from race")?.parse()?;
        measured.winners += winners;
        measured.conflicts += options.clients.saturating_sub(winners);
        measured
            .took_ms
            .extend(latencies(folder.path(), &format!("round-{round}."))?);
    }
    measured.deadlocks = deadlocks(database)? - before;
    Ok(measured)
}

/// The third column of what `pgbench` logged: microseconds.
pub(super) fn latencies(folder: &Path, prefix: &str) -> anyhow::Result<Vec<f64>> {
    let mut took = Vec::new();
    for entry in fs::read_dir(folder).context("reading the logs of pgbench")? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if !name.starts_with(prefix) {
            continue;
        }
        let text = fs::read_to_string(&path).context("reading a log of pgbench")?;
        let microseconds = text.lines().filter_map(|line| line.split(' ').nth(2));
        took.extend(
            microseconds
                .filter_map(|us| us.parse::<f64>().ok())
                .map(|us| us / 1000.0),
        );
    }
    Ok(took)
}

fn deadlocks(database: &Database) -> anyhow::Result<i64> {
    let query = "select deadlocks from pg_stat_database where datname = current_database()";
    Ok(psql(database, query)?.parse()?)
}

pub(super) fn psql(database: &Database, statement: &str) -> anyhow::Result<String> {
    psql_with(database, &format!("--command={statement}"))
}

/// Runs the statements of a file, as the superuser.
pub(super) fn psql_file(database: &Database, file: &Path) -> anyhow::Result<String> {
    psql_with(database, &format!("--file={}", file.display()))
}

fn psql_with(database: &Database, what: &str) -> anyhow::Result<String> {
    let output = Command::new("psql")
        .args([
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--set=ON_ERROR_STOP=1",
        ])
        .arg(what)
        .arg(database.admin_url())
        .stdin(Stdio::null())
        .output()
        .context("starting psql")?;
    ensure!(
        output.status.success(),
        "psql: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn table(options: Options, rows: &[(&str, Measured)]) -> String {
    let mut text = format!(
        "\n{} clients on one time, {} rounds\n\n{:<20} {:>8} {:>10} {:>7} {:>10} {:>9} {:>9} {:>9}\n",
        options.clients,
        options.rounds,
        "",
        "winners",
        "conflicts",
        "others",
        "deadlocks",
        "p50 ms",
        "p99 ms",
        "max ms"
    );
    for (name, measured) in rows {
        let at = |share| quantile(&measured.took_ms, share);
        let row = writeln!(
            text,
            "{name:<20} {:>8} {:>10} {:>7} {:>10} {:>9.1} {:>9.1} {:>9.1}",
            measured.winners,
            measured.conflicts,
            measured.others,
            measured.deadlocks,
            at(0.5),
            at(0.99),
            at(1.0)
        );
        row.expect("writing to a string does not fail");
    }
    if let [(_, booking), (_, bare), ..] = rows {
        let ratio = quantile(&booking.took_ms, 0.99) / quantile(&bare.took_ms, 0.99);
        let ratio = writeln!(
            text,
            "\np99 of the whole booking / p99 of its bare statement: {ratio:.2}"
        );
        ratio.expect("writing to a string does not fail");
    }
    text
}

/// The value that so large a share of `values` does not exceed; nought where there is none.
pub(super) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a share of a short list is a small whole number"
    )]
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

fn verify(options: Options, rows: &[(&str, Measured)]) -> anyhow::Result<()> {
    let (_, booking) = rows.first().context("nothing was measured")?;
    ensure!(
        booking.winners == options.rounds
            && booking.conflicts == options.rounds * options.clients.saturating_sub(1)
            && booking.deadlocks == 0,
        "each round must have one winner, {} conflicts and no deadlock",
        options.clients.saturating_sub(1)
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        let at = [0.5, 0.99, 1.0].map(|share| quantile(&values, share).to_string());
        assert_eq!(at, ["100", "198", "200"]);
        assert_eq!(quantile(&[], 0.5).to_string(), "0");
    }

    #[test]
    fn a_round_without_a_winner_fails_the_measurement() {
        let options = Options {
            clients: 3,
            rounds: 1,
            debug: true,
        };
        let measured = |winners, conflicts| Measured {
            winners,
            conflicts,
            ..Measured::default()
        };
        assert!(verify(options, &[("", measured(1, 2))]).is_ok());
        assert!(verify(options, &[("", measured(0, 3))]).is_err());
        assert!(verify(options, &[("", measured(2, 1))]).is_err());
    }
}
