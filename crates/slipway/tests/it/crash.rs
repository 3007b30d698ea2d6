//! Kill -9 of control, of the proxy and of the keeper, in the middle of things.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::ground::{Ground, is_alive};
use crate::load::{Load, brief};
use crate::release::draft;

/// Kills control as soon as the journal holds an event of this kind (and step), lets the
/// rollout finish, and checks that it did and that nobody noticed.
fn control_dies_at(what: &str, is_it: impl Fn(&Value) -> bool) {
    let ground = Ground::up();
    let one = draft("normal", "one").migrate("none").make(&ground.state());
    let two = draft("slow-start", "two")
        .migrate("none")
        .make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    let before = ground.events().len();

    let load = Load::start(ground.address(), 6);
    let deploy = ground.spawn(&["deploy", two.as_str(), "--json"]);
    ground.wait_for(what, || {
        ground.events()[before..].iter().any(|e| is_it(&e["event"]))
    });
    let killed = ground.kill("control");
    let report = deploy.wait().with(0).json();
    load.more(30);
    let tally = load.count();

    assert!(!is_alive(killed));
    assert_eq!(report["good"], true, "{report:#}");
    assert_eq!(ground.live().as_deref(), Some(two.as_str()));
    assert_eq!(tally.failed, 0, "{}", brief(&tally));
    let starts = ground.events()[before..]
        .iter()
        .filter(|e| e["event"]["area"] == "control" && e["event"]["kind"] == "started")
        .map(|e| e["event"]["recovered"].as_u64().unwrap())
        .collect::<Vec<_>>();
    assert_eq!(starts, [1], "one rollout was taken up again, once");
    ground.run(&["journal", "verify"]).with(0);
}

fn step(event: &Value, kind: &str, name: &str) -> bool {
    event["kind"] == kind && event["step"]["do"] == name
}

#[test]
fn control_dies_when_the_rollout_was_asked_for() {
    control_dies_at("the request", |e| e["kind"] == "requested");
}

#[test]
fn control_dies_while_an_instance_starts() {
    control_dies_at("the first start", |e| step(e, "intent", "start"));
}

#[test]
fn control_dies_while_instances_get_ready() {
    control_dies_at("the wait", |e| step(e, "intent", "await-ready"));
}

#[test]
fn control_dies_at_the_switch() {
    control_dies_at("the switch", |e| step(e, "intent", "shift"));
}

#[test]
fn control_dies_while_a_release_is_taken_back() {
    let ground = Ground::up();
    let good = draft("normal", "good").make(&ground.state());
    let bad = draft("third-fails", "bad").make(&ground.state());
    ground.deploy(good.as_str()).with(0);
    let before = ground.events().len();
    let load = Load::start(ground.address(), 8);
    let deploy = ground.spawn(&["deploy", bad.as_str(), "--json"]);
    ground.wait_for("the trigger", || {
        ground.events()[before..]
            .iter()
            .any(|e| e["event"]["kind"] == "trigger-fired")
    });
    ground.kill("control");
    let report = deploy.wait().with(1).json();
    load.more(30);
    let tally = load.count();
    assert_eq!(report["state"]["name"], "rolled-back", "{report:#}");
    assert_eq!(report["quarantined"], true, "{report:#}");
    assert_eq!(ground.live().as_deref(), Some(good.as_str()));
    assert_eq!(tally.release(good.as_str()).failed, 0, "{}", brief(&tally));
    assert_eq!(
        tally.release("").served,
        0,
        "everybody got an answer: {}",
        brief(&tally)
    );
}

#[test]
fn the_keeper_dies_in_the_middle_of_a_rollout_and_the_next_one_finishes_it() {
    let mut ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    let two = draft("slow-start", "two").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    let load = Load::start(ground.address(), 6);
    ground.run(&["deploy", two.as_str(), "--detach"]).with(0);
    ground.kill("keeper");
    ground.start();
    ground.wait_for("the rollout's end", || {
        ground.live().as_deref() == Some(two.as_str())
    });
    load.more(30);
    let tally = load.count();
    assert_eq!(tally.failed, 0, "{}", brief(&tally));
}

#[test]
fn control_comes_back_within_three_seconds_and_the_proxy_did_not_notice() {
    let ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    let (keeper, proxy) = (ground.pid("keeper"), ground.pid("proxy"));
    let load = Load::start(ground.address(), 4);
    let killed = ground.kill("control");
    let since = Instant::now();
    ground.wait_for("control to answer again", || {
        let status = ground.status();
        let control = &status["processes"]["control"];
        control["answers"] == true && control["pid"] != killed
    });
    let took = since.elapsed();
    assert!(took < Duration::from_secs(3), "it took {took:?}");
    assert_eq!(load.count().failed, 0);
    assert_eq!((ground.pid("keeper"), ground.pid("proxy")), (keeper, proxy));
}

#[test]
fn a_killed_proxy_is_there_again_and_no_connection_is_refused() {
    let ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    for _ in 0..3 {
        let load = Load::start(ground.address(), 6);
        let killed = ground.kill("proxy");
        ground.wait_for("another proxy", || ground.pid("proxy") != Some(killed));
        load.more(60);
        let tally = load.count();
        // What was in flight in the killed process is lost; what came afterwards waited.
        let refused = tally.examples.iter().filter(|e| e.contains("connecting"));
        assert_eq!(refused.count(), 0, "{}", brief(&tally));
        assert!(
            tally.failed <= 6,
            "only what was in flight: {}",
            brief(&tally)
        );
        assert!(
            tally.slowest() < Duration::from_secs(3),
            "{:?}",
            tally.slowest()
        );
    }
    assert_eq!(ground.live().as_deref(), Some(one.as_str()));
}

#[test]
fn a_new_keeper_takes_over_what_a_killed_one_left() {
    let mut ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    let address = ground.address();
    let load = Load::start(address, 6);
    let killed = ground.kill("keeper");
    ground.wait_for("the keeper's end", || !is_alive(killed));
    load.more(30);
    ground.run(&["status"]).with(4);

    ground.start();
    assert_eq!(ground.address(), address, "the sockets are the same");
    load.more(60);
    let tally = load.count();
    assert_eq!(tally.failed, 0, "{}", brief(&tally));
    assert_eq!(ground.live().as_deref(), Some(one.as_str()));
}

#[test]
fn down_cleans_up_after_a_killed_keeper_too() {
    let ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    ground.kill("keeper");
    // The guard of the ground fails the test when anything is left.
    ground.run(&["down"]).with(0);
    assert_eq!(crate::ground::left(&ground.state()), Vec::<String>::new());
}

/// As if the keeper had been killed before it could write down what it had started.
fn forget_children(ground: &Ground) {
    let path = ground.state().join("keeper.json");
    let mut record: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    record["proxy"] = Value::Null;
    record["control"] = Value::Null;
    std::fs::write(&path, record.to_string()).unwrap();
}

#[test]
fn children_that_a_killed_keeper_did_not_write_down_are_taken_over() {
    let mut ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    let (address, proxy) = (ground.address(), ground.pid("proxy").unwrap());
    let control = ground.pid("control").unwrap();
    let load = Load::start(address, 6);
    let killed = ground.kill("keeper");
    ground.wait_for("the keeper's end", || !is_alive(killed));
    forget_children(&ground);
    ground.start();
    assert_eq!(ground.address(), address, "the sockets are the same");
    assert!(!is_alive(control), "two controls on one journal");
    ground.wait_for("the earlier proxy's end", || !is_alive(proxy));
    load.more(30);
    let tally = load.count();
    assert_eq!(tally.failed, 0, "{}", brief(&tally));
    assert_eq!(ground.live().as_deref(), Some(one.as_str()));
}

#[test]
fn down_finds_children_that_nobody_wrote_down() {
    let ground = Ground::up();
    let killed = ground.kill("keeper");
    ground.wait_for("the keeper's end", || !is_alive(killed));
    std::fs::remove_file(ground.state().join("keeper.json")).unwrap();
    let down = ground.run(&["down", "--json"]).with(0).json();
    assert_eq!(down["stopped"], serde_json::json!(["control", "proxy"]));
    assert_eq!(crate::ground::left(&ground.state()), Vec::<String>::new());
}

#[test]
fn down_needs_no_record_that_can_be_read() {
    let ground = Ground::up();
    std::fs::write(ground.state().join("keeper.json"), "{").unwrap();
    let down = ground.run(&["down", "--json"]).with(0).json();
    assert_eq!(down["stopped"][0], "keeper", "{down:#}");
    assert_eq!(crate::ground::left(&ground.state()), Vec::<String>::new());
}

#[test]
fn what_an_earlier_boot_left_is_not_mistaken_for_running() {
    let mut ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    ground.run(&["down"]).with(0);
    // As after a power cut: records of processes whose numbers others may have today.
    let own = i64::from(std::process::id());
    let record = serde_json::json!({
        "keeper": { "pid": own, "start_ticks": 1, "boot": "00000000-0000-0000-0000-000000000000" },
        "environment": "production",
        "listen": ["127.0.0.1:1"],
        "console": "127.0.0.1:2",
        "proxy": { "pid": own, "start_ticks": 1, "boot": "00000000-0000-0000-0000-000000000000" },
        "control": { "pid": own, "start_ticks": 1, "boot": "00000000-0000-0000-0000-000000000000" },
    });
    let path = ground.state().join("keeper.json");
    std::fs::write(&path, record.to_string()).unwrap();
    ground.run(&["status"]).with(4);
    ground.start();
    ground.wait_for("the release to be live again", || {
        ground.live().as_deref() == Some(one.as_str())
    });
}
