//! Releases come instance by instance, or after the old one has ended, and no visitor notices.

use serde_json::Value;
use slipway_journal::ReleaseId;

use crate::ground::{Ground, send};
use crate::load::{Load, brief};
use crate::release::draft;

/// Slipway with another policy for the service.
fn up(policy: &str) -> Ground {
    let environment = Ground::environment().replace("instances = 2", policy);
    let mut ground = Ground::with_environment(&environment);
    ground.start();
    ground
}

/// How many instances of each release ran after each event, from the first one of `from` on.
fn crowds(events: &[Value], old: &ReleaseId, new: &ReleaseId) -> Vec<(usize, usize)> {
    let mut rollouts = std::collections::BTreeMap::new();
    let (mut crowd, mut crowds) = ((0, 0), Vec::new());
    for event in events.iter().map(|e| &e["event"]) {
        let rollout = event["rollout"].as_str().unwrap_or_default().to_owned();
        let release = match event["kind"].as_str() {
            Some("requested") => {
                let release = event["release"].as_str().unwrap().to_owned();
                rollouts.insert(rollout, release);
                continue;
            }
            Some("instance-started" | "instance-exited") => &rollouts[&rollout],
            _ => continue,
        };
        let count = match release {
            r if r == old.as_str() => &mut crowd.0,
            r if r == new.as_str() => &mut crowd.1,
            r => panic!("{r} is another release"),
        };
        if event["kind"] == "instance-started" {
            *count += 1;
        } else {
            *count -= 1;
        }
        crowds.push(crowd);
    }
    crowds
}

/// The crowds from the first instance of the new release, or the last full crowd of the old
/// one, on.
fn since_full(crowds: &[(usize, usize)], full: usize) -> &[(usize, usize)] {
    let place = crowds.iter().position(|c| *c == (full, 0)).unwrap();
    &crowds[place..]
}

fn live_pids(ground: &Ground) -> Vec<i32> {
    let status = ground.status();
    let instances = status["services"][0]["live"]["instances"].as_array();
    let up = instances.unwrap().iter().filter(|i| i["health"] == "up");
    up.filter_map(|i| i32::try_from(i["pid"].as_i64()?).ok())
        .collect()
}

#[test]
fn of_four_instances_one_may_die_under_load_and_is_started_again() {
    let ground = up("instances = 4");
    let one = draft("normal", "one").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    ground.wait_for("four instances are up", || live_pids(&ground).len() == 4);
    let load = Load::readers(ground.address(), 8);
    let victim = live_pids(&ground)[0];
    send(victim, rustix::process::Signal::KILL);
    ground.wait_for("another one is up in its place", || {
        let pids = live_pids(&ground);
        pids.len() == 4 && !pids.contains(&victim)
    });
    load.more(100);
    let tally = load.count();
    assert_eq!(tally.failed, 0, "{}", brief(&tally));
    assert_eq!(ground.live().as_deref(), Some(one.as_str()));
}

#[test]
fn a_release_takes_another_s_place_instance_by_instance_under_load() {
    let ground = up("instances = 3\nstrategy = \"rolling\"\nrolling = { dwell = \"400ms\" }");
    let one = draft("normal", "one").make(&ground.state());
    let two = draft("normal", "two").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    let load = Load::start(ground.address(), 12);
    let report = ground.deploy(two.as_str()).with(0).json();
    load.more(100);
    let tally = load.count();
    assert_eq!(tally.failed, 0, "{}", brief(&tally));
    assert!(tally.release(one.as_str()).served > 0, "{report:#}");
    assert_eq!(ground.live().as_deref(), Some(two.as_str()));
    let events = ground.events();
    let crowds = crowds(&events, &one, &two);
    // The last of the old ones stays warm.
    assert_eq!(since_full(&crowds, 3).last(), Some(&(1, 3)), "{crowds:?}");
    for (old, new) in since_full(&crowds, 3) {
        assert!((3..=4).contains(&(old + new)), "{crowds:?}");
    }
    let shares: Vec<u64> = events
        .iter()
        .filter(|e| e["event"]["step"]["do"] == "shift" && e["event"]["kind"] == "done")
        .filter_map(|e| e["event"]["step"]["weight"].as_u64())
        .collect();
    assert_eq!(shares, [10_000, 2_500, 5_000, 10_000]);
}

#[test]
fn a_batch_that_fails_a_third_is_taken_back_and_the_old_release_is_whole_again() {
    let ground = up("instances = 3\nstrategy = \"rolling\"\nrolling = { dwell = \"10s\" }");
    let good = draft("normal", "good").make(&ground.state());
    let bad = draft("third-fails", "bad").make(&ground.state());
    ground.deploy(good.as_str()).with(0);
    let load = Load::start(ground.address(), 24);
    let report = ground.deploy(bad.as_str()).with(1).json();
    load.more(50);
    let tally = load.count();
    assert_eq!(report["state"]["name"], "rolled-back", "{report:#}");
    assert_eq!(ground.live().as_deref(), Some(good.as_str()));
    ground.wait_for("three instances are up", || live_pids(&ground).len() == 3);
    assert_eq!(tally.release(good.as_str()).failed, 0, "{}", brief(&tally));
    // Three of four visitors never saw it.
    let (good, bad) = (tally.release(good.as_str()), tally.release(bad.as_str()));
    assert!(good.served > bad.served, "{}", brief(&tally));
}

#[test]
fn without_room_for_one_more_there_is_one_fewer_meanwhile() {
    let ground = up("instances = 3\nstrategy = \"rolling\"\n\
         rolling = { surge = 0, unavailable = \"40%\", dwell = \"200ms\" }");
    let one = draft("normal", "one").make(&ground.state());
    let two = draft("normal", "two").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    let load = Load::start(ground.address(), 8);
    ground.deploy(two.as_str()).with(0);
    ground.wait_for("three instances are up", || live_pids(&ground).len() == 3);
    load.more(50);
    let tally = load.count();
    assert_eq!(tally.failed, 0, "{}", brief(&tally));
    let crowds = crowds(&ground.events(), &one, &two);
    assert_eq!(since_full(&crowds, 3).last(), Some(&(0, 3)), "{crowds:?}");
    for (old, new) in since_full(&crowds, 3) {
        assert!((2..=3).contains(&(old + new)), "{crowds:?}");
    }
}

#[test]
fn visitors_wait_while_the_old_release_ends_and_the_new_one_starts() {
    let ground = up("instances = 2\nstrategy = \"recreate\"");
    let one = draft("normal", "one").make(&ground.state());
    let two = draft("normal", "two").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    let load = Load::start(ground.address(), 8);
    let report = ground.deploy(two.as_str()).with(0).json();
    load.more(100);
    let tally = load.count();
    assert_eq!(tally.failed, 0, "{}", brief(&tally));
    assert!(tally.release(one.as_str()).served > 0, "{report:#}");
    assert!(tally.release(two.as_str()).served > 0, "{report:#}");
    let held: u64 = report["receipt"]["traffic"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|t| t["held"].as_u64())
        .sum();
    assert!(held > 0, "{report:#}");
    for (old, new) in crowds(&ground.events(), &one, &two) {
        assert!(old == 0 || new == 0, "both ran at once");
    }
}

#[test]
fn the_old_release_starts_again_where_the_new_one_does_not_become_ready_and_nobody_fails() {
    let policy = "instances = 1\nstrategy = \"recreate\"\nrecreate = { drain = \"500ms\" }";
    let environment = Ground::environment()
        .replace("instances = 2", policy)
        .replace("ready_within = \"5s\"", "ready_within = \"1s\"");
    let mut ground = Ground::with_environment(&environment);
    ground.start();
    let good = draft("normal", "good").make(&ground.state());
    let sick = draft("never-healthy", "sick").make(&ground.state());
    ground.deploy(good.as_str()).with(0);
    let load = Load::start(ground.address(), 8);
    let report = ground.deploy(sick.as_str()).with(1).json();
    assert_eq!(report["state"]["name"], "failed", "{report:#}");
    load.more(100);
    let tally = load.count();
    assert_eq!(tally.failed, 0, "{}", brief(&tally));
    assert_eq!(ground.live().as_deref(), Some(good.as_str()));
    for (old, new) in crowds(&ground.events(), &good, &sick) {
        assert!(old == 0 || new == 0, "both ran at once");
    }
}
