//! Releases come and go under load, and no visitor notices.

use std::io::Write as _;
use std::net::TcpStream;

use serde_json::Value;
use testkit::tally::Tally;

use crate::ground::{Ground, left};
use crate::load::{Load, brief};
use crate::release::draft;

/// What the receipt of a printed rollout says of one release.
fn traffic<'a>(report: &'a Value, release: &str) -> &'a Value {
    report["receipt"]["traffic"]
        .as_array()
        .unwrap()
        .iter()
        .find(|t| t["release"] == release)
        .unwrap_or(&Value::Null)
}

/// Nobody got a bad answer, and everybody got one.
#[track_caller]
fn nobody_noticed(tally: &Tally) {
    assert_eq!(tally.failed, 0, "{}", brief(tally));
}

/// The proxy counted what the visitors counted, release by release.
#[track_caller]
fn counts_agree(ground: &Ground, tally: &Tally) {
    let status = ground.status();
    let stats = &status["proxy"]["stats"];
    for pool in stats["pools"].as_array().unwrap() {
        let release = pool["release"].as_str().unwrap();
        let seen = tally.release(release);
        assert_eq!(pool["served"], seen.served, "{release} in {stats:#}");
        assert_eq!(pool["failed"], seen.failed, "{release} in {stats:#}");
    }
    let served: u64 = stats["pools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["served"].as_u64().unwrap())
        .sum();
    assert_eq!(served, tally.requests, "{stats:#}");
    assert_eq!(
        stats["unrouted"].as_array().map(Vec::len),
        Some(0),
        "{stats:#}"
    );
}

#[test]
fn two_releases_go_live_under_load_and_a_person_takes_the_second_back() {
    let ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    let two = draft("normal", "two").make(&ground.state());

    let first = ground.deploy(one.as_str()).with(0).json();
    assert_eq!(first["good"], true, "{first:#}");
    assert_eq!(first["previous"], Value::Null);
    assert_eq!(ground.live().as_deref(), Some(one.as_str()));

    let load = Load::start(ground.address(), 8);
    let second = ground.deploy(two.as_str()).with(0).json();
    assert_eq!(second["previous"], one.as_str(), "{second:#}");
    assert_eq!(traffic(&second, two.as_str())["failed"], 0, "{second:#}");
    assert!(
        traffic(&second, two.as_str())["served"].as_u64().unwrap() > 0,
        "{second:#}"
    );
    assert!(
        second["receipt"]["switch_us"].as_u64().unwrap() > 0,
        "{second:#}"
    );
    assert_eq!(ground.live().as_deref(), Some(two.as_str()));
    load.more(50);

    let plan = ground.run(&["rollback", "--plan", "--json"]).with(0).json();
    assert_eq!(plan["kind"], "warm", "{plan:#}");
    assert_eq!(plan["to"], one.as_str(), "{plan:#}");
    assert_eq!(plan["can"], true, "{plan:#}");
    assert_eq!(plan["speed"]["measured"], 2, "{plan:#}");
    let back = ground.run(&["rollback", "--reason", "prices are wrong", "--json"]);
    let back = back.with(0).json();
    assert_eq!(back["state"]["name"], "rolled-back", "{back:#}");
    assert_eq!(back["rollout"], second["rollout"], "{back:#}");
    assert_eq!(back["triggers"][0]["trigger"], "person", "{back:#}");
    assert!(
        back["receipt"]["rollback_us"].as_u64().unwrap() > 0,
        "{back:#}"
    );
    assert_eq!(ground.live().as_deref(), Some(one.as_str()));
    load.more(50);

    let tally = load.count();
    nobody_noticed(&tally);
    counts_agree(&ground, &tally);
    ground.run(&["journal", "verify"]).with(0);
    let history = ground.run(&["history", "--json"]).with(0).json();
    assert_eq!(history.as_array().map(Vec::len), Some(2));
    let person = &history[1]["actor"];
    assert_eq!(person["kind"], "person", "{person}");
}

#[test]
fn a_release_that_fails_a_third_is_taken_back_and_the_receipt_says_how_many() {
    let ground = Ground::up();
    let good = draft("normal", "good").make(&ground.state());
    let bad = draft("third-fails", "bad").make(&ground.state());
    ground.deploy(good.as_str()).with(0);

    let load = Load::start(ground.address(), 8);
    let report = ground.deploy(bad.as_str()).with(1).json();
    load.more(50);
    let tally = load.count();

    assert_eq!(report["state"]["name"], "rolled-back", "{report:#}");
    assert_eq!(report["good"], false);
    assert_eq!(report["quarantined"], true);
    assert_eq!(
        report["triggers"][0]["trigger"], "error-burst",
        "{report:#}"
    );
    assert_eq!(ground.live().as_deref(), Some(good.as_str()));
    let (seen, said) = (tally.release(bad.as_str()), traffic(&report, bad.as_str()));
    assert!(seen.failed > 0);
    assert_eq!(said["failed"], seen.failed, "{report:#}");
    assert_eq!(said["served"], seen.served, "{report:#}");
    assert_eq!(tally.release(good.as_str()).failed, 0, "{}", brief(&tally));
    assert_eq!(tally.failed, seen.failed, "{}", brief(&tally));
    counts_agree(&ground, &tally);

    let refused = ground.deploy(bad.as_str()).with(3);
    assert!(
        refused.err.contains("was taken back before"),
        "{refused:#?}"
    );
    assert!(refused.err.contains("--force"), "{refused:#?}");
}

#[test]
fn a_release_that_is_taken_back_gets_its_receipt_although_a_request_goes_on() {
    let ground = Ground::up();
    let good = draft("normal", "good").make(&ground.state());
    let bad = draft("third-fails", "bad").make(&ground.state());
    ground.deploy(good.as_str()).with(0);

    let deploying = ground.spawn(&["deploy", bad.as_str(), "--json"]);
    ground.wait_for("the bad release is live", || {
        ground.live().as_deref() == Some(bad.as_str())
    });
    let mut slow = TcpStream::connect(ground.address()).unwrap();
    slow.write_all(b"GET /slow?ms=10000 HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    let load = Load::start(ground.address(), 8);
    let report = deploying.wait().with(1).json();
    drop(load.count());

    assert_eq!(report["state"]["name"], "rolled-back", "{report:#}");
    assert!(report["receipt"].is_object(), "{report:#}");
}

#[test]
fn a_release_whose_instances_die_under_load_is_taken_back() {
    let ground = Ground::up();
    let good = draft("normal", "good").make(&ground.state());
    let bad = draft("dies-under-load", "bad").make(&ground.state());
    ground.deploy(good.as_str()).with(0);

    let load = Load::start(ground.address(), 8);
    let report = ground.deploy(bad.as_str()).with(1).json();
    load.more(50);
    let tally = load.count();

    assert_eq!(report["state"]["name"], "rolled-back", "{report:#}");
    assert_eq!(
        report["triggers"][0]["trigger"], "instance-death",
        "{report:#}"
    );
    assert_eq!(ground.live().as_deref(), Some(good.as_str()));
    assert_eq!(tally.release(good.as_str()).failed, 0, "{}", brief(&tally));
}

#[test]
fn a_third_release_takes_the_place_of_the_warm_one() {
    let ground = Ground::up();
    let load_from = ground.address();
    let releases: Vec<_> = ["one", "two", "three"]
        .into_iter()
        .map(|name| draft("normal", name).make(&ground.state()))
        .collect();
    ground.deploy(releases[0].as_str()).with(0);
    let load = Load::start(load_from, 4);
    for release in &releases[1..] {
        ground.deploy(release.as_str()).with(0);
    }
    nobody_noticed(&load.count());
    assert_eq!(ground.live().as_deref(), Some(releases[2].as_str()));
    let status = ground.status();
    assert_eq!(
        status["services"][0]["warm"]["release"],
        releases[1].as_str(),
        "{status:#}"
    );
}

#[test]
fn what_was_live_is_live_again_after_down_and_up() {
    let mut ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    let down = ground.run(&["down", "--json"]).with(0).json();
    assert_eq!(down["killed"].as_array().map(Vec::len), Some(0), "{down:#}");
    assert_eq!(left(&ground.state()), Vec::<String>::new());
    assert_eq!(ground.run(&["down"]).with(0).out, "✓ nothing runs here\n");
    ground.run(&["status"]).with(4);

    ground.start();
    let live = &ground.status()["services"][0]["live"];
    assert_eq!(live["release"], one.as_str(), "{live:#}");
    let instances = live["instances"].as_array().unwrap();
    assert!(instances.iter().any(|i| i["health"] == "up"), "{live:#}");
    nobody_noticed(&Load::start(ground.address(), 4).count());
}

#[test]
fn an_instance_that_ignores_sigterm_is_killed_and_said_so() {
    let ground = Ground::up();
    let deaf = draft("ignores-term", "deaf").make(&ground.state());
    ground.deploy(deaf.as_str()).with(0);
    // The time that an instance gets is the application contract's; a test cannot wait it out
    // for the living, so the deaf ones make room for another release instead.
    let two = draft("normal", "two").make(&ground.state());
    let three = draft("normal", "three").make(&ground.state());
    ground.deploy(two.as_str()).with(0);
    ground.deploy(three.as_str()).with(0);
    let stopped: Vec<String> = ground
        .events()
        .iter()
        .filter(|e| e["event"]["kind"] == "instance-exited")
        .map(|e| e["event"]["how"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        stopped.iter().any(|how| how.contains("kill")),
        "{stopped:#?}"
    );
}

#[test]
fn a_changed_environment_file_holds_from_the_next_deployment_on() {
    let ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    ground.write_environment(&Ground::environment().replace("instances = 2", "instances = 3"));
    let two = draft("normal", "two").make(&ground.state());
    ground.deploy(two.as_str()).with(0);
    let status = ground.status();
    let instances = status["services"][0]["live"]["instances"]
        .as_array()
        .map(Vec::len);
    assert_eq!(instances, Some(3), "{status:#}");

    ground.write_environment("[proxy]\nlisten = 80");
    let three = draft("normal", "three").make(&ground.state());
    let refused = ground.deploy(three.as_str()).with(2);
    assert!(refused.err.contains("production.toml:2"), "{refused:#?}");
    assert_eq!(ground.live().as_deref(), Some(two.as_str()));
}
