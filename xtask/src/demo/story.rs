//! The story that the demo tells, step by step, and the numbers that must come out.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::claim::{Claims, number};
use super::edits::{SECOND, THIRD, VISIBLE};
use super::slipway::{Deployed, Receipt, Slipway, Traffic as Served};
use super::source::Source;
use super::traffic::Traffic;
use super::{House, database, slipway};
use crate::stage::Stages;

/// What the visitors make together must reach at least this, by the client's count.
const REQUESTS_PER_SECOND_MIN: u64 = 300;
/// From the kill of control until a new one answers.
const RECOVERY_MAX: Duration = Duration::from_secs(3);

/// The releases of the story, by id.
struct Releases {
    first: String,
    second: String,
    third: String,
}

pub(super) fn tell(
    house: &House,
    source: &Source,
    rate: u32,
    runtime: &tokio::runtime::Runtime,
    stages: &mut Stages,
    claims: &mut Claims,
) -> anyhow::Result<()> {
    let slipway = &house.slipway;
    let releases = make_releases(slipway, source, stages)?;
    let first = stages.run("deploy 1", || slipway.deploy(&releases.first))?;
    claims.add("release 1 is live", words(&first), first.good);
    ensure!(first.good, "release 1 did not go live: {}", words(&first));
    stages.run("seed", || {
        let output = slipway.call(&["exec", "--", "./booking", "seed"])?;
        ensure!(output.status.success(), "seeding failed; see above");
        Ok(())
    })?;
    let address = house.up.listen.first().context("no address to visit")?;
    let before = database::read(&house.up.state)?.standing;
    let traffic = Traffic::open(runtime, address, rate, before)?;
    traffic.await_more(u64::from(rate) * 4)?;
    good_release(slipway, &traffic, &releases, rate, stages, claims)?;
    bad_release(slipway, &traffic, &releases, rate, stages, claims)?;
    killed_control(slipway, &traffic, &releases, rate, stages, claims)?;
    stages.run("settle", || settle(house, traffic, claims))
}

fn make_releases(
    slipway: &Slipway,
    source: &Source,
    stages: &mut Stages,
) -> anyhow::Result<Releases> {
    let first = stages.run("release 1", || slipway.make_release())?;
    source.change("Say plainly what a visitor can do here", SECOND)?;
    let second = stages.run("release 2", || slipway.make_release())?;
    source.change("Answer faster, or so the author believed", THIRD)?;
    let third = stages.run("release 3", || slipway.make_release())?;
    let distinct: BTreeSet<&String> = [&first, &second, &third].into();
    ensure!(distinct.len() == 3, "the three releases are not different");
    Ok(Releases {
        first,
        second,
        third,
    })
}

/// Release 2 goes live under load, and nobody notices.
fn good_release(
    slipway: &Slipway,
    traffic: &Traffic,
    releases: &Releases,
    rate: u32,
    stages: &mut Stages,
    claims: &mut Claims,
) -> anyhow::Result<()> {
    let before = traffic.tally();
    let begun = Instant::now();
    let deployed = stages.run("deploy 2", || slipway.deploy(&releases.second))?;
    traffic.await_more(u64::from(rate) * 3)?;
    let during = traffic.tally().since(&before);
    let per_second = per_second(during.requests, begun.elapsed());
    claims.add(
        "release 2 is live under load",
        words(&deployed),
        deployed.good,
    );
    claims.add(
        "requests per second, by the client",
        number(per_second),
        per_second >= REQUESTS_PER_SECOND_MIN,
    );
    claims.none("failed requests, by the client", during.failed);
    let receipt = receipt(&deployed)?;
    claims.none("failed requests, by the proxy", failed(receipt));
    claims.note("the receipt of release 2", account(receipt));
    claims.add(
        "visitors see release 2",
        format!("{} answers", number(during.by(&releases.second).served)),
        during.by(&releases.second).served > 0 && traffic.sees(VISIBLE)?,
    );
    claims.add(
        "duration of the switch",
        micros(receipt.switch_us),
        receipt.switch_us.is_some(),
    );
    Ok(())
}

/// Release 3 passes its preview and then fails; it is taken back by itself.
fn bad_release(
    slipway: &Slipway,
    traffic: &Traffic,
    releases: &Releases,
    rate: u32,
    stages: &mut Stages,
    claims: &mut Claims,
) -> anyhow::Result<()> {
    let before = traffic.tally();
    let deployed = stages.run("deploy 3", || slipway.deploy(&releases.third))?;
    traffic.await_more(u64::from(rate) * 3)?;
    let during = traffic.tally().since(&before);
    let bad = during.by(&releases.third);
    claims.add(
        "release 3, which is bad, was taken back by itself",
        words(&deployed),
        deployed.state.name == "rolled-back",
    );
    let evidence = deployed.triggers.first().map_or_else(
        || "no trigger".to_owned(),
        |t| format!("{}: {}", t.trigger, t.evidence),
    );
    claims.add("what gave it away", evidence, !deployed.triggers.is_empty());
    let receipt = receipt(&deployed)?;
    let counted = served(receipt, &releases.third);
    claims.add(
        "failed requests of release 3, by the client",
        format!("{} of {}", number(bad.failed), number(bad.served)),
        bad.failed > 0,
    );
    claims.same(
        "… and by the proxy, in the receipt",
        counted.failed,
        bad.failed,
    );
    claims.none(
        "failed requests of any other release",
        during.failed - bad.failed,
    );
    claims.add(
        "first bad answer to last",
        format!("{} ms", during.bad_for.as_millis()),
        during.bad_for < Duration::from_secs(2),
    );
    claims.add(
        "decision to the last request on release 3",
        micros(receipt.rollback_us),
        receipt.rollback_us.is_some_and(|us| us < 1_000_000),
    );
    Ok(())
}

/// Control is killed in the middle of a rollout; it comes back and finishes.
fn killed_control(
    slipway: &Slipway,
    traffic: &Traffic,
    releases: &Releases,
    rate: u32,
    stages: &mut Stages,
    claims: &mut Claims,
) -> anyhow::Result<()> {
    let before = traffic.tally();
    let (deployed, recovered) = stages.run("deploy 1, kill -9", || {
        let child = slipway.begin_deploy(&releases.first)?;
        let (state, control) = in_the_middle(slipway)?;
        eprintln!("  kill -9 of control, process {control}, in the state {state}");
        kill(control)?;
        let recovered = recovery(slipway, control)?;
        let output = child
            .wait_with_output()
            .context("waiting for the rollout")?;
        let deployed: Deployed = slipway::read(&["deploy"], &output)?;
        Ok((deployed, recovered))
    })?;
    traffic.await_more(u64::from(rate) * 2)?;
    let during = traffic.tally().since(&before);
    claims.add(
        "killed in the middle, the rollout finished",
        words(&deployed),
        deployed.good,
    );
    claims.add(
        "control answers again after",
        format!("{} ms", recovered.as_millis()),
        recovered <= RECOVERY_MAX,
    );
    claims.none("failed requests meanwhile, by the client", during.failed);
    let receipt = receipt(&deployed)?;
    claims.none("failed requests meanwhile, by the proxy", failed(receipt));
    claims.note("rolling back now", receipt.rollback_now.clone());
    Ok(())
}

/// Waits until the rollout has started instances, and gives its state and control's process.
fn in_the_middle(slipway: &Slipway) -> anyhow::Result<(String, u32)> {
    // The slot is free once the streams on the release before it have ended.
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        let status = slipway.status()?;
        let state = status["services"]
            .as_array()
            .into_iter()
            .flatten()
            .find_map(|s| s["rollout"]["state"]["name"].as_str());
        if let Some(state) = state
            && matches!(
                state,
                "expanded" | "started" | "ready" | "preview" | "shifting"
            )
        {
            let control = status["processes"]["control"]["pid"]
                .as_u64()
                .context("control runs")?;
            return Ok((state.to_owned(), u32::try_from(control)?));
        }
        ensure!(
            Instant::now() < deadline,
            "the rollout did not get anywhere"
        );
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

fn kill(process: u32) -> anyhow::Result<()> {
    let process = i32::try_from(process)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .context("control has a process id")?;
    rustix::process::kill_process(process, rustix::process::Signal::KILL).context("killing control")
}

/// How long it takes until another control answers.
fn recovery(slipway: &Slipway, killed: u32) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    loop {
        let status = slipway.status()?;
        let control = &status["processes"]["control"];
        let is_new = control["pid"]
            .as_u64()
            .is_some_and(|p| p != u64::from(killed));
        if is_new && control["answers"] == true {
            return Ok(begun.elapsed());
        }
        ensure!(
            begun.elapsed() < Duration::from_secs(60),
            "control does not come back"
        );
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Closes the load, and holds what the clients were told against the proxy and the database.
fn settle(house: &House, traffic: Traffic, claims: &mut Claims) -> anyhow::Result<()> {
    let end = traffic.close()?;
    claims.none("bookings whose answer never came", end.unanswered);
    claims.none("answers that nobody expected", end.tally.odd());
    let counted = counted(&house.slipway)?;
    claims.same(
        "requests: client and proxy count the same",
        end.tally.requests,
        counted,
    );
    claims.add(
        "uploads, streams, bookings among them",
        format!(
            "{} uploads, {} streams, {} bookings",
            number(end.tally.uploads),
            number(end.tally.streams),
            number(end.told.len() as u64)
        ),
        end.tally.uploads > 0 && end.tally.streams > 0 && !end.told.is_empty(),
    );
    let (half, p99) = end.tally.latency();
    claims.note(
        "half of the answers within, and 99 % of them",
        format!("{} ms, {} ms", half.as_millis(), p99.as_millis()),
    );
    let stored = database::read(&house.up.state)?;
    let lost = end.told.difference(&stored.standing).count();
    claims.none("bookings lost", lost as u64);
    let own = stored.standing.difference(&end.before).count();
    claims.same(
        "bookings: clients were told of, and stored",
        end.told.len() as u64,
        own as u64,
    );
    claims.none("double bookings: claims that overlap", stored.overlaps);
    claims.none("bookings whose time is not theirs", stored.unclaimed);
    let verified: serde_json::Value = house.slipway.json(&["journal", "verify", "--json"])?;
    claims.add(
        "the journal is unbroken",
        format!("{} entries", verified["entries"]),
        verified["result"] == "whole",
    );
    Ok(())
}

/// Every request that the proxy counted, once nothing is in flight.
fn counted(slipway: &Slipway) -> anyhow::Result<u64> {
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        let status = slipway.status()?;
        let stats = &status["proxy"]["stats"];
        let pools = stats["pools"].as_array().context("the proxy counts")?;
        let sum = |list: &[serde_json::Value], field: &str| -> u64 {
            list.iter().filter_map(|p| p[field].as_u64()).sum()
        };
        if sum(pools, "in_flight") == 0 {
            let unrouted = stats["unrouted"].as_array().map_or(&[][..], Vec::as_slice);
            let refused = stats["refused"].as_u64().unwrap_or(0);
            return Ok(sum(pools, "served") + sum(unrouted, "requests") + refused);
        }
        ensure!(
            Instant::now() < deadline,
            "requests are still in flight at the end"
        );
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

fn per_second(requests: u64, elapsed: Duration) -> u64 {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    requests.saturating_mul(1000) / millis.max(1)
}

fn receipt(deployed: &Deployed) -> anyhow::Result<&Receipt> {
    let rollout = &deployed.rollout;
    deployed
        .receipt
        .as_ref()
        .with_context(|| format!("rollout {rollout} has no receipt"))
}

fn failed(receipt: &Receipt) -> u64 {
    receipt.traffic.iter().map(|t| t.failed).sum()
}

fn served(receipt: &Receipt, release: &str) -> Served {
    let of = receipt.traffic.iter().find(|t| t.release == release);
    of.cloned().unwrap_or_default()
}

/// A receipt in one line.
fn account(receipt: &Receipt) -> String {
    let sum = |of: fn(&Served) -> u64| number(receipt.traffic.iter().map(of).sum());
    let most = |of: fn(&Served) -> u64| receipt.traffic.iter().map(of).max();
    format!(
        "{} served, {} retried, {} held; p99 {}, slowest {}",
        sum(|t| t.served),
        sum(|t| t.retried),
        sum(|t| t.held),
        micros(most(|t| t.p99_us)),
        micros(most(|t| t.slowest_us))
    )
}

fn words(deployed: &Deployed) -> String {
    let reason = deployed
        .state
        .reason
        .as_ref()
        .map_or_else(String::new, |r| format!(": {r}"));
    format!(
        "{} {}{reason} ({:.1} s)",
        deployed.release.get(..12).unwrap_or_default(),
        deployed.state.name,
        Duration::from_millis(deployed.took_ms).as_secs_f64()
    )
}

fn micros(duration: Option<u64>) -> String {
    duration.map_or_else(
        || "not measured".to_owned(),
        |us| format!("{:.1} ms", Duration::from_micros(us).as_secs_f64() * 1000.0),
    )
}
