//! Many messages that are due at once: how long until all are queued, how long until all
//! are sent, and whether each came once. Workers, PostgreSQL, Redis and the mail server
//! share this machine.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use rustix::process::{Pid, Signal, kill_process};
use testkit::postgres::Database;
use testkit::services::Services;
use testkit::smtp::{Manner, Postbox};
use testkit::wait;

use super::claim::psql;
use crate::site;

/// What the design asks for.
const QUEUED_WITHIN: Duration = Duration::from_secs(60);

/// The shape of the measurement.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Options {
    /// Messages that are due at once
    #[arg(long, default_value_t = 50_000)]
    messages: u32,
    /// Workers that send them
    #[arg(long, default_value_t = 2)]
    workers: u32,
    /// Seconds after which it is given up
    #[arg(long, default_value_t = 900)]
    seconds: u64,
    /// Measure the build for development instead of the one that is delivered
    #[arg(long)]
    debug: bool,
}

pub(crate) fn run(root: &Path, options: Options) -> anyhow::Result<()> {
    let program = site::build(root, if options.debug { "dev" } else { "release" })?;
    let services = Services::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting a runtime")?;
    let database = runtime.block_on(Database::empty(&services.postgres()))?;
    let redis = runtime.block_on(services.redis().database())?;
    migrate(&program, &database)?;
    plan(&database, options.messages)?;
    let postbox = Postbox::start(Manner::Takes)?;
    let began = Instant::now();
    let workers = (0..options.workers)
        .map(|_| Worker::start(&program, &database, &redis, &postbox))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let patience = Duration::from_secs(options.seconds);
    let messages = i64::from(options.messages);
    let seen = "queued_at is not null or state <> 'waiting'";
    let queued = until(&database, seen, messages, began, patience)?;
    println!(
        "{messages} messages were queued in {:.1} s",
        queued.as_secs_f64()
    );
    let sent = until(&database, "state = 'sent'", messages, began, patience)?;
    let seconds = sent.as_secs_f64();
    let rate = f64::from(options.messages) / seconds;
    println!("{messages} messages were sent in {seconds:.1} s, {rate:.0} a second");
    for worker in workers {
        worker.end()?;
    }
    verify(&postbox, options, queued)
}

fn migrate(program: &Path, database: &Database) -> anyhow::Result<()> {
    let status = Command::new(program)
        .arg("migrate")
        .env_clear()
        .env("DATABASE_URL", database.url())
        .stderr(Stdio::null())
        .status()
        .context("starting booking migrate")?;
    ensure!(status.success(), "booking migrate ended with {status}");
    Ok(())
}

fn plan(database: &Database, messages: u32) -> anyhow::Result<()> {
    let statement = format!(
        "insert into outbox (id, dedupe_key, channel, kind, recipient, content, send_after)
         select gen_random_uuid(), 'm-' || n, 'email', 'account.confirm',
             'n' || n || '@example.com', '{{\"path\": \"/' || n || '\"}}', now()
         from generate_series(1, {messages}) n"
    );
    psql(database, &statement)?;
    psql(database, "analyze outbox")?;
    Ok(())
}

/// How long it takes until that many rows are so.
fn until(
    database: &Database,
    are: &str,
    rows: i64,
    began: Instant,
    patience: Duration,
) -> anyhow::Result<Duration> {
    let query = format!("select count(*) from outbox where {are}");
    let mut found = 0;
    let is_done = wait::until(patience, || {
        found = psql(database, &query)
            .ok()
            .and_then(|count| count.parse().ok())
            .unwrap_or(found);
        found >= rows
    });
    ensure!(is_done, "{found} of {rows} after {patience:?}: {are}");
    Ok(began.elapsed())
}

fn verify(postbox: &Postbox, options: Options, queued: Duration) -> anyhow::Result<()> {
    let counts = postbox.counts();
    let duplicates = counts.values().filter(|count| **count > 1).count();
    let wanted = usize::try_from(options.messages)?;
    let lost = wanted.saturating_sub(counts.len());
    println!("{duplicates} duplicates, {lost} lost");
    ensure!(duplicates == 0 && lost == 0, "each must come once");
    ensure!(
        queued <= QUEUED_WITHIN,
        "they must be queued within {QUEUED_WITHIN:?}"
    );
    Ok(())
}

/// A worker. It ends with this value.
struct Worker(Child);

impl Worker {
    fn start(
        program: &Path,
        database: &Database,
        redis: &str,
        postbox: &Postbox,
    ) -> anyhow::Result<Self> {
        let child = Command::new(program)
            .arg("worker")
            .env_clear()
            .env("DATABASE_URL", database.url())
            .env("REDIS_URL", redis)
            .env("SMTP_URL", postbox.url())
            .env("MAIL_FROM", "bookings@example.com")
            .env("PUBLIC_URL", "https://booking.example")
            .env("LOG", "warn")
            .stdin(Stdio::null())
            .spawn()
            .context("starting booking worker")?;
        Ok(Self(child))
    }

    fn end(mut self) -> anyhow::Result<()> {
        let pid = Pid::from_child(&self.0);
        kill_process(pid, Signal::TERM).context("ending booking worker")?;
        let status = self.0.wait().context("waiting for booking worker")?;
        ensure!(status.success(), "booking worker ended with {status}");
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Err(error) = self.0.kill().and_then(|()| self.0.wait()) {
            eprintln!("booking worker could not be ended: {error}");
        }
    }
}
