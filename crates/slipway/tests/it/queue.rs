//! Two orders for one service: what has visitors is waited for, what has none makes way.

use crate::ground::Ground;
use crate::release::draft;

/// How the rollout of a release stands in the history.
fn state_of(ground: &Ground, release: &str) -> String {
    let history = ground.run(&["history", "--json"]).with(0).json();
    let rollouts = history.as_array().unwrap().iter();
    let mut states = rollouts.filter(|r| r["release"] == release);
    let state = states.next_back().unwrap()["state"]["name"].clone();
    state.as_str().unwrap().to_owned()
}

#[test]
fn what_has_visitors_is_waited_for_and_ctrl_c_says_that_it_goes_on() {
    let mut ground = Ground::with_environment(
        // Long enough on its own to be found by the next order.
        &Ground::environment().replace("observe = \"1s\"", "observe = \"12s\""),
    );
    ground.start();
    let one = draft("normal", "one").make(&ground.state());
    let two = draft("normal", "two").make(&ground.state());
    ground.run(&["deploy", one.as_str(), "--detach"]).with(0);
    ground.wait_for("the first to be live", || {
        state_of(&ground, one.as_str()) == "live"
    });
    let second = ground.spawn(&["deploy", two.as_str()]);
    ground.wait_for("the second to be followed", || second.catches_interrupt());
    ground.wait_for("the second to wait", || {
        let history = ground.run(&["history", "--json"]).with(0).json();
        history.as_array().map(Vec::len) == Some(2)
    });
    assert_eq!(state_of(&ground, two.as_str()), "queued");
    assert_eq!(state_of(&ground, one.as_str()), "live");
    second.interrupt();
    let stopped = second.wait().with(130);
    for words in ["goes on without this terminal", "slipway cancel"] {
        assert!(stopped.err.contains(words), "{words}: {stopped:#?}");
    }
    ground.wait_for("the second to be live", || {
        ground.live().as_deref() == Some(two.as_str())
    });
    let first = state_of(&ground, one.as_str());
    assert!(
        matches!(first.as_str(), "baking" | "retired" | "done"),
        "{first}"
    );
}

#[test]
fn what_has_no_visitors_makes_way_for_a_newer_order_and_whoever_waits_is_told() {
    let ground = Ground::up();
    let slow = draft("slow-start", "slow").make(&ground.state());
    let quick = draft("normal", "quick").make(&ground.state());
    let first = ground.spawn(&["deploy", slow.as_str()]);
    ground.wait_for("its instances to start", || {
        let history = ground.run(&["history", "--json"]).with(0).json();
        history[0]["state"]["name"] == "started"
    });
    ground.deploy(quick.as_str()).with(0);
    let told = first.wait().with(1);
    assert!(told.err.contains("took its place"), "{told:#?}");
    assert_eq!(state_of(&ground, slow.as_str()), "superseded");
    assert_eq!(ground.live().as_deref(), Some(quick.as_str()));
}
