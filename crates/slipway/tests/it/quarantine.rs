//! A release that was taken back comes again by a person's word only.

use crate::ground::Ground;
use crate::release::draft;

#[test]
fn a_quarantine_is_listed_outlives_control_and_is_lifted_with_a_reason() {
    let ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    let two = draft("normal", "two").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    ground.deploy(two.as_str()).with(0);
    ground
        .run(&["rollback", "--reason", "prices are wrong"])
        .with(0);
    let list = || ground.run(&["quarantine", "list", "--json"]).with(0).json();
    assert_eq!(list()[0]["release"], two.as_str());
    assert_eq!(list()[0]["reason"], "prices are wrong");
    let control = ground.kill("control");
    ground.wait_for("another control", || {
        ground.pid("control").is_some_and(|pid| pid != control)
    });
    let refused = ground.deploy(two.as_str()).with(3);
    assert!(
        refused.err.contains("slipway quarantine lift"),
        "{refused:#?}"
    );
    let short = two.as_str().get(..8).unwrap();
    ground.run(&["quarantine", "lift", short, " "]).with(2);
    let wrong = ground.run(&["quarantine", "lift", one.as_str(), "why not"]);
    wrong.with(3);
    let lifted = ["quarantine", "lift", short, "the prices were right"];
    ground.run(&lifted).with(0);
    assert_eq!(list().as_array().map(Vec::len), Some(0));
    ground.deploy(two.as_str()).with(0);
    assert_eq!(ground.live().as_deref(), Some(two.as_str()));
    let events = ground.events();
    let lifted = events
        .iter()
        .find(|e| e["event"]["kind"] == "quarantine-lifted");
    let lifted = lifted.unwrap();
    assert_eq!(lifted["event"]["reason"], "the prices were right");
    assert_eq!(lifted["actor"]["kind"], "person", "{lifted:#}");
}
