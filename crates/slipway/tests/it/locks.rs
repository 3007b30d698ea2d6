//! Locks on deployments: who wants to deploy is told why not, and the way back stays open.

use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixStream;

use crate::ground::Ground;
use crate::release::draft;
use crate::ship;
use crate::words::fits;

#[test]
fn a_lock_stops_what_is_new_with_its_reason_and_never_the_way_back() {
    let ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    let two = draft("normal", "two").make(&ground.state());
    let three = draft("normal", "three").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    ground.deploy(two.as_str()).with(0);
    let locked = ground.run(&["lock", "the database is being moved"]).with(0);
    fits(&locked.out);
    let refused = ground.run(&["deploy", three.as_str()]).with(3);
    for words in ["the database is being moved", "locked by", "slipway unlock"] {
        assert!(refused.err.contains(words), "{words}: {refused:#?}");
    }
    let status = ground.status();
    let lock = &status["locks"][0];
    assert_eq!(lock["reason"], "the database is being moved", "{status:#}");
    let shown = ground.run(&["status"]).with(0);
    fits(
        &shown
            .out
            .replace(&ground.state().display().to_string(), "STATE"),
    );
    assert!(
        shown.out.contains("the database is being moved"),
        "{shown:#?}"
    );
    let twice = ground.run(&["lock", "twice"]).with(3);
    assert!(
        twice.err.contains("the database is being moved"),
        "{twice:#?}"
    );
    // It is a fact of the journal and not of a process.
    let control = ground.kill("control");
    ground.wait_for("another control", || {
        ground.pid("control").is_some_and(|pid| pid != control)
    });
    ground.run(&["deploy", three.as_str()]).with(3);
    let plan = ground.run(&["rollback", "--plan", "--json"]).with(0).json();
    assert_eq!(plan["can"], true, "{plan:#}");
    ground.run(&["rollback"]).with(0);
    assert_eq!(ground.live().as_deref(), Some(one.as_str()));
    ground.run(&["unlock"]).with(0);
    ground.run(&["unlock"]).with(3);
    ground.deploy(three.as_str()).with(0);
    assert_eq!(ground.live().as_deref(), Some(three.as_str()));
}

#[test]
fn a_lock_of_one_service_leaves_the_others_alone() {
    let ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    let two = draft("normal", "two").make(&ground.state());
    let mistyped = ground.run(&["lock", "not this one", "--service", "shopp"]);
    let mistyped = mistyped.with(2);
    assert!(mistyped.err.contains("there is: shop"), "{mistyped:#?}");
    let other = "\n[service.other]\nhosts = [\"other.test\"]\n";
    ground.write_environment(&format!("{}{other}", Ground::environment()));
    ground
        .run(&["lock", "not this one", "--service", "other"])
        .with(0);
    let missed = ground.run(&["unlock"]).with(3);
    assert!(missed.err.contains("unlock --service other"), "{missed:#?}");
    ground.deploy(one.as_str()).with(0);
    ground
        .run(&["lock", "nor this", "--service", "shop"])
        .with(0);
    let refused = ground.deploy(two.as_str()).with(3);
    assert!(refused.err.contains("nor this"), "{refused:#?}");
    ground.run(&["lock", " "]).with(2);
}

#[test]
fn a_lock_with_an_end_ends_by_itself() {
    let ground = Ground::up();
    ground.run(&["lock", "a moment", "--lasts", "1s"]).with(0);
    ground.wait_for("the end of the lock", || {
        ground.status()["locks"]
            .as_array()
            .is_some_and(Vec::is_empty)
    });
    let one = draft("normal", "one").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    let never = ground.run(&["lock", "a moment", "--lasts", "0s"]).with(2);
    assert!(never.err.contains("24h"), "{never:#?}");
}

#[test]
fn where_deployments_are_locked_nothing_is_built_for_one() {
    let ground = ship::project();
    ground.run(&["lock", "a quiet weekend"]).with(0);
    let refused = ground.run(&["ship"]).with(3);
    assert!(refused.err.contains("a quiet weekend"), "{refused:#?}");
    assert!(!ground.project().join("out").exists());
    ground.run(&["unlock"]).with(0);
    fs::write(ground.project().join("page.txt"), "two").unwrap();
    ground.run(&["ship"]).with(0);
}

/// Orders a lock and goes away without waiting for what comes of it.
fn lock_and_go(ground: &Ground) {
    let mut caller = UnixStream::connect(ground.state().join("control.sock")).unwrap();
    let body = r#"{"reason":"whoever asked is gone"}"#;
    let head = "POST /v1/lock HTTP/1.1\r\nhost: control\r\ncontent-type: application/json";
    let length = body.len();
    write!(caller, "{head}\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
}

#[test]
fn a_lock_whose_caller_went_away_holds_once_it_is_in_the_journal() {
    let ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    for _ in 0..5 {
        ground.wait_for("the lock", || {
            lock_and_go(&ground);
            ground.status()["locks"][0].is_object()
        });
        ground.deploy(one.as_str()).with(3);
        ground.run(&["unlock"]).with(0);
    }
}
