//! The peer: the very statements of a booking, recorded from the log of PostgreSQL while
//! Booking makes some, sent by `pgbench` with as many sessions as Booking has.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use testkit::postgres::{Database, Postgres};
use testkit::visitor::Visitor;
use tokio::runtime::Runtime;

use super::load::World;
use super::rush::{self, Slot};
use super::script::{self, Recording};
use super::{Took, address};
use crate::bench::claim::{latencies, psql};
use crate::site::Serving;

/// Businesses whose bookings are recorded, so that sessions do not all wait for one lane.
const RECORDED: usize = 40;
/// Bookings that are made until two of them are with the same person.
const TRIED: usize = 60;

/// The recorded statements.
#[derive(Debug)]
pub(super) struct Peer {
    folder: tempfile::TempDir,
    scripts: Vec<PathBuf>,
    /// How many there are in one booking.
    pub(super) statements: usize,
}

/// What `pgbench` came to.
#[derive(Debug)]
pub(super) struct Theirs {
    pub(super) took: Took,
    pub(super) per_second: f64,
}

impl Peer {
    pub(super) fn record(
        runtime: &Runtime,
        program: &Path,
        (postgres, database): (&Postgres, &Database),
        world: &World,
    ) -> anyhow::Result<Self> {
        psql(database, "create sequence slot")?;
        psql(database, "grant usage on sequence slot to application")?;
        psql(database, "alter role application set log_statement = 'all'")?;
        // One connection, so that the log tells one story.
        let site = Serving::start(program, database, &[("DATABASE_CONNECTIONS", "1")])?;
        let slots = runtime.block_on(rush::slots(address(&site)?, world))?;
        let mut peer = Self {
            folder: tempfile::tempdir().context("making a folder")?,
            scripts: Vec::new(),
            statements: 0,
        };
        for (n, slug) in world.businesses.iter().take(RECORDED).enumerate() {
            // From the end, where the rush does not come.
            let own = slots.iter().rev().filter(|(of, _)| of == slug);
            let mut by_person: BTreeMap<String, Recording> = BTreeMap::new();
            let mut pair = None;
            for (turn, slot) in own.take(TRIED).enumerate() {
                let from = postgres.log()?.len();
                let key = format!("recorded-{n}-{turn}");
                runtime.block_on(made(&site, slot, &key))?;
                let log = postgres.log()?;
                let recording = Recording {
                    statements: script::statements(log.get(from..).unwrap_or_default()),
                    start: slot.1.parse().context("reading a start")?,
                };
                // The first one warms up. Two of one person differ in what is new only.
                let person = psql(database, &with_whom(&key))?;
                if turn > 0
                    && let Some(first) = by_person.insert(person, recording.clone())
                    && first.is_like(&recording)
                {
                    pair = Some((first, recording));
                    break;
                }
            }
            let (first, second) = pair.with_context(|| format!("no two alike at {slug}"))?;
            let text = script::script(&first, &second)?;
            peer.statements = first.statements.len();
            let path = peer.folder.path().join(format!("booking-{n}.sql"));
            fs::write(&path, text).context("writing the statements")?;
            peer.scripts.push(path);
        }
        site.end()?;
        psql(database, "alter role application reset log_statement")?;
        Ok(peer)
    }

    pub(super) fn run(
        &self,
        database: &Database,
        sessions: u32,
        within: Duration,
    ) -> anyhow::Result<Theirs> {
        let logs = tempfile::tempdir().context("making a folder")?;
        let output = Command::new("pgbench")
            .args(["--no-vacuum", "--protocol=prepared", "--jobs=2", "--log"])
            .arg(format!("--client={sessions}"))
            .arg(format!("--time={}", within.as_secs()))
            .arg(format!("--log-prefix={}/log", logs.path().display()))
            .args(
                self.scripts
                    .iter()
                    .map(|s| format!("--file={}", s.display())),
            )
            .arg(database.url())
            .stdin(Stdio::null())
            .output()
            .context("starting pgbench")?;
        let said = String::from_utf8_lossy(&output.stdout);
        let complaints = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "pgbench: {}", complaints.trim());
        let tps = said.lines().find_map(|line| line.strip_prefix("tps = "));
        let tps = tps.and_then(|rest| rest.split(' ').next());
        Ok(Theirs {
            took: Took {
                ms: latencies(logs.path(), "log.")?,
                wrong: complaints.matches("aborted").count(),
            },
            per_second: tps.context("pgbench says no rate")?.parse()?,
        })
    }
}

/// Asks with whom the customer booked that has this key for a name.
fn with_whom(key: &str) -> String {
    format!(
        "select staff_id from booking join customer on customer.id = booking.customer_id
         where customer.email = '{key}@example.com'"
    )
}

async fn made(site: &Serving, (slug, start): &Slot, key: &str) -> anyhow::Result<()> {
    let mut visitor = Visitor::new(address(site)?, "is recorded");
    let path = format!("/api/v1/businesses/{slug}/bookings");
    let headers = [("idempotency-key", key)];
    let outcome = visitor
        .post_json(&path, &headers, &rush::wish(start, key))
        .await;
    let status = outcome.status().map(|status| status.as_u16());
    ensure!(
        status == Some(201),
        "a free time cannot be booked: {status:?}"
    );
    Ok(())
}
