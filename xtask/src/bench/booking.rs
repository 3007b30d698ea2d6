//! Booking with many bookings in it, delivered as it is: how long a month takes with and
//! without the cache, how many bookings a second can be made, beside the same statements by
//! `pgbench`, and how long pages take at a steady rate. Everything shares this machine, and
//! PostgreSQL writes to disk as it does in production.

mod load;
mod months;
mod pages;
mod peer;
mod rush;
mod script;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use testkit::postgres::{Database, Postgres};
use testkit::redis::Redis;
use tokio::runtime::Runtime;

use super::claim::quantile;
use crate::site::{self, Serving};

/// As many connections to the database as Booking has where nobody says otherwise.
const CONNECTIONS: u32 = 16;

/// The shape of the measurement.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Options {
    /// Bookings that are there already
    #[arg(long, default_value_t = 1_000_000)]
    bookings: u32,
    /// Seconds of load in each part of the measurement
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Rounds of bookings, in turn with pgbench
    #[arg(long, default_value_t = 2)]
    rounds: u32,
    /// Clients that book at once
    #[arg(long, default_value_t = 32)]
    clients: usize,
    /// Pages a second
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// Say how the database answers the statements of a month
    #[arg(long)]
    explain: bool,
    /// Measure nothing but bookings
    #[arg(long)]
    only_bookings: bool,
    /// Measure the build for development instead of the one that is delivered
    #[arg(long)]
    debug: bool,
}

/// How long answers took, in milliseconds, and how many were not what was asked for.
#[derive(Debug, Default)]
struct Took {
    ms: Vec<f64>,
    wrong: usize,
}

impl Took {
    fn row(&self, name: &str) -> String {
        let at = |share| quantile(&self.ms, share);
        format!(
            "{name:<34} {:>8} {:>9.1} {:>9.1} {:>9.1} {:>7}\n",
            self.ms.len(),
            at(0.5),
            at(0.99),
            at(1.0),
            self.wrong
        )
    }
}

fn head(title: &str) -> String {
    format!(
        "\n{title:<34} {:>8} {:>9} {:>9} {:>9} {:>7}\n",
        "answers", "p50 ms", "p99 ms", "max ms", "wrong"
    )
}

pub(crate) fn run(root: &Path, options: Options) -> anyhow::Result<()> {
    let program = site::build(root, if options.debug { "dev" } else { "release" })?;
    let postgres = Postgres::durable()?;
    let redis = Redis::start()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting a runtime")?;
    let database = runtime.block_on(Database::empty(&postgres.address()))?;
    site::command(&program, "migrate", &database)?;
    eprintln!("{} bookings are loaded …", options.bookings);
    let world = load::load(&database, options.bookings)?;
    eprintln!("{}", world.words());
    if options.explain {
        println!("{}", load::explained(&database)?);
    }
    let within = Duration::from_secs(options.seconds);

    let redis = runtime.block_on(redis.address().database())?;
    let cache = [("REDIS_URL", redis.as_str())];
    if !options.only_bookings {
        look(&runtime, &program, (&database, cache), &world, options)?;
    }
    let site = Serving::start(&program, &database, &cache)?;
    eprintln!("the statements of a booking are recorded …");
    let peer = peer::Peer::record(&runtime, &program, (&postgres, &database), &world)?;
    println!("\nstatements of a booking: {}", peer.statements);
    let slots = runtime.block_on(rush::slots(address(&site)?, &world))?;
    let mut rush = rush::Rush::new(slots);
    for round in 1..=options.rounds {
        eprintln!("bookings, round {round} of {} …", options.rounds);
        let ours = rush.run(address(&site)?, options.clients, within);
        let ours = runtime.block_on(ours)?;
        let theirs = peer.run(&database, CONNECTIONS, within)?;
        print!("{}", ours.beside(&theirs));
    }
    site.end()
}

/// Months and pages.
fn look(
    runtime: &Runtime,
    program: &Path,
    (database, cache): (&Database, [(&str, &str); 1]),
    world: &load::World,
    options: Options,
) -> anyhow::Result<()> {
    let within = Duration::from_secs(options.seconds);
    let cold = Serving::start(program, database, &[])?;
    eprintln!("months without the cache …");
    let without = runtime.block_on(months::measure(address(&cold)?, world, within))?;
    cold.end()?;
    let site = Serving::start(program, database, &cache)?;
    eprintln!("months with the cache …");
    let with = runtime.block_on(months::measure(address(&site)?, world, within))?;
    let title = format!("months, {} bookings", options.bookings);
    print!(
        "{}{}{}",
        head(&title),
        without.rows("computed"),
        with.rows("kept")
    );

    eprintln!("pages …");
    let pages = pages::measure(address(&site)?, world, options.rate, within);
    let pages = runtime.block_on(pages)?;
    let title = format!("pages, {} a second", options.rate);
    print!(
        "{}{}",
        head(&title),
        pages.row("all, from the intended start")
    );
    site.end()
}

fn address(site: &Serving) -> anyhow::Result<SocketAddr> {
    let address = site.address.trim_start_matches("http://");
    address.parse().context("reading the address of Booking")
}
