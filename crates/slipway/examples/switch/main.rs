//! Releases that come and go under load over the real program, and what visitors and the proxy
//! counted of it: failed requests, how long a release that is taken back still gets new ones,
//! and what a deployment takes beyond the application's own start.
//!
//! `switch SLIPWAY APP SWITCHES RATE`; started by `cargo xtask bench switch`.

mod crowd;
mod house;

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::crowd::Crowd;
use crate::house::House;

/// Between two orders: longer than anything that an order leaves behind but streams.
const CALM: Duration = Duration::from_millis(100);
/// What a rollback is asked to take at most, at 99 of a hundred.
const ROLLBACK_GOAL_MS: f64 = 50.0;
/// What a deployment is asked to take at most beyond the application's start.
const DEPLOY_GOAL_MS: f64 = 3000.0;

/// Spans of time, microseconds.
#[derive(Default)]
struct Spans(Vec<u64>);

/// What was measured.
#[derive(Default)]
struct Measured {
    /// From a deployment's request to the end of the switch, less the start of the application.
    deploys: Spans,
    /// From the start of the command until the last request that the taken-back release got.
    rollbacks: Spans,
    /// From the order, as it is in the journal, until its table was served.
    served: Spans,
    switches: u64,
    taken_back: u64,
}

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [slipway, app, switches, rate] = words.as_slice() else {
        bail!("switch SLIPWAY APP SWITCHES RATE");
    };
    let (switches, rate) = (switches.parse()?, rate.parse()?);
    let mut house = House::new(slipway.as_ref(), app.as_ref())?;
    let started = house.app_start()?;
    println!(
        "the application alone answers {:.0} ms after its start (median of 5)",
        milliseconds(started)
    );
    house.up()?;
    let result = measure(&mut house, started, switches, rate);
    house.down()?;
    result
}

fn measure(house: &mut House, started: Duration, switches: u64, rate: u64) -> anyhow::Result<()> {
    let (one, two) = (house.release("one")?, house.release("two")?);
    ensure!(house.deploy(&one)?["good"] == true, "the first release");
    let crowd = Crowd::open(house.address()?, rate)?;
    crowd.await_more(rate)?;
    let mut measured = Measured::default();
    let mut live = [&one, &two];
    let began = Instant::now();
    while measured.switches + measured.taken_back < switches {
        live.reverse();
        measured.deploy(house, live[0], started)?;
        std::thread::park_timeout(CALM);
        // Every other release is taken back; the next one then takes the same place again.
        if measured.switches % 2 == 1 && measured.switches + measured.taken_back < switches {
            measured.roll_back(house, &crowd, live[0])?;
            live.reverse();
            std::thread::park_timeout(CALM);
        }
        if (measured.switches + measured.taken_back).is_multiple_of(10) {
            eprint!(".");
        }
    }
    let lasted = began.elapsed();
    eprintln!();
    let seen = crowd.close()?;
    let counted = house.counted()?;
    println!("{}", table(&measured, &seen, &counted, lasted));
    Ok(())
}

impl Spans {
    /// The span that so many per cent did not exceed.
    fn quantile(&self, percent: usize) -> u64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied().unwrap_or(0)
    }
}

impl Measured {
    fn deploy(&mut self, house: &House, release: &str, started: Duration) -> anyhow::Result<()> {
        let report = house.deploy(release)?;
        ensure!(report["good"] == true, "it did not go live: {report:#}");
        let took = report["receipt"]["took_ms"].as_u64();
        let took = took.with_context(|| format!("no receipt in {report:#}"))?;
        let beyond = Duration::from_millis(took).saturating_sub(started);
        self.deploys.0.push(micros(beyond));
        self.switches += 1;
        Ok(())
    }

    fn roll_back(&mut self, house: &House, crowd: &Crowd, bad: &str) -> anyhow::Result<()> {
        let ordered = crowd.now();
        let report = house.roll_back()?;
        let served = report["receipt"]["rollback_us"].as_u64();
        let served = served.with_context(|| format!("no rollback in {report:#}"))?;
        // Whoever asked before the table was served has an answer by then.
        std::thread::park_timeout(CALM);
        let last = crowd.last_asked(bad).saturating_sub(ordered);
        self.rollbacks.0.push(micros(last));
        self.served.0.push(served);
        self.taken_back += 1;
        Ok(())
    }
}

fn table(
    measured: &Measured,
    seen: &crowd::Seen,
    counted: &house::Counted,
    lasted: Duration,
) -> String {
    let tally = &seen.tally;
    let seconds = seen.lasted.as_secs().max(1);
    let mut lines = vec![
        format!(
            "{} switches and {} rollbacks in {} s",
            measured.switches,
            measured.taken_back,
            lasted.as_secs()
        ),
        String::new(),
        "| | by visitors | by the proxy |".to_owned(),
        "|---|---:|---:|".to_owned(),
        format!(
            "| requests | {} | {} |",
            tally.requests,
            counted.served + counted.unrouted
        ),
        format!(
            "| failed | {} | {} |",
            tally.failed,
            counted.failed + counted.unrouted
        ),
        format!("| tried again by the proxy | | {} |", counted.retried),
        String::new(),
        format!(
            "{} requests a second, p50 {:.1} ms, p99 {:.1} ms, slowest {:.0} ms; {}",
            tally.requests / seconds,
            milliseconds(tally.quantile(0.5)),
            milliseconds(tally.quantile(0.99)),
            milliseconds(tally.slowest()),
            seen.kinds()
        ),
        String::new(),
        "| | times | p50, ms | p99, ms | most, ms | goal for p99, ms |".to_owned(),
        "|---|---:|---:|---:|---:|---:|".to_owned(),
    ];
    lines.extend(spans(measured));
    lines.extend(tally.examples.iter().map(|e| format!("failed: {e}")));
    lines.join("\n")
}

fn spans(measured: &Measured) -> [String; 3] {
    let row = |what: &str, of: &Spans, goal: f64| {
        let ms = |percent| milliseconds(Duration::from_micros(of.quantile(percent)));
        format!(
            "| {what} | {} | {:.1} | {:.1} | {:.1} | {goal:.0} |",
            of.0.len(),
            ms(50),
            ms(99),
            ms(100)
        )
    };
    [
        row(
            "rollback: command to the last new request on the bad release",
            &measured.rollbacks,
            ROLLBACK_GOAL_MS,
        ),
        row(
            "rollback: order in the journal to the table that is served",
            &measured.served,
            ROLLBACK_GOAL_MS,
        ),
        row(
            "deployment beyond the application's start",
            &measured.deploys,
            DEPLOY_GOAL_MS,
        ),
    ]
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

/// The fields of a JSON object that are numbers.
fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or(0)
}
