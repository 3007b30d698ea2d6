//! Times at which nothing is deployed, by the environment's file.

use crate::approvals::{BY, is_root};
use crate::ground::Ground;
use crate::release::draft;
use crate::ship;
use crate::words::fits;

/// Long before and long after any run of this test.
const FREEZE: &str = r#"
[[freeze]]
reason = "the holidays"
from = "2020-12-18 17:00"
until = "2090-01-04 08:00"
"#;

const WINDOW: &str = r#"
[[deploy_window]]
from = "2020-12-18 09:00"
until = "2020-12-18 12:00"
"#;

#[test]
fn in_a_freeze_nothing_new_is_deployed_and_the_way_back_stays_open() {
    let ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    let two = draft("normal", "two").make(&ground.state());
    let three = draft("normal", "three").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    ground.deploy(two.as_str()).with(0);
    ground.write_environment(&format!("{}{FREEZE}", Ground::environment()));
    let refused = ground.deploy(three.as_str()).with(3);
    for words in ["the holidays", "2090-01-04 08:00 SAST", "--override"] {
        assert!(refused.err.contains(words), "{words}: {refused:#?}");
    }
    let status = ground.status();
    assert_eq!(status["closed"]["reason"], "the holidays", "{status:#}");
    assert_eq!(status["closed"]["until"], "2090-01-04T06:00:00Z");
    let shown = ground.run(&["status"]).with(0);
    fits(
        &shown
            .out
            .replace(&ground.state().display().to_string(), "STATE"),
    );
    assert!(shown.out.contains("the holidays"), "{shown:#?}");
    let alone = ["deploy", three.as_str(), "--override", "it burns"];
    let alone = ground.run(&alone).with(3);
    assert!(alone.err.contains("nobody does so alone"), "{alone:#?}");
    ground.run(&["rollback"]).with(0);
    assert_eq!(ground.live().as_deref(), Some(one.as_str()));
}

#[test]
fn a_freeze_is_overridden_by_two_people_and_a_reason() {
    let ground = Ground::up_with(&format!("{FREEZE}\n[approval]\nneed = 0\n{BY}"));
    let one = draft("normal", "one")
        .author("eve@example.org")
        .make(&ground.state());
    ground.deploy(one.as_str()).with(3);
    let burns = ["deploy", one.as_str(), "--override", "it burns", "--detach"];
    ground.run(&burns).with(0);
    let approval = ground.status()["services"][0]["rollout"]["approval"].clone();
    assert_eq!(approval["overrides"], "it burns", "{approval:#}");
    assert_eq!(approval["need"], 1, "{approval:#}");
    assert_eq!(ground.live(), None);
    if is_root() {
        ground.run_as("bin", &["approve", one.as_str()]).with(0);
        ground.wait_for("the release", || ground.live().is_some());
    }
    let asked = ground.events();
    let mut asked = asked
        .iter()
        .filter(|e| e["event"]["kind"] == "approval-asked");
    assert_eq!(asked.next().unwrap()["event"]["overrides"], "it burns");
}

#[test]
fn outside_of_the_deploy_windows_nothing_is_deployed_and_nothing_is_built() {
    let ground = ship::project();
    ground.write_environment(&format!("{}{WINDOW}", Ground::environment()));
    let refused = ground.run(&["ship"]).with(3);
    assert!(
        refused.err.contains("outside of every deploy window"),
        "{refused:#?}"
    );
    assert!(!ground.project().join("out").exists());
    let one = draft("normal", "one").make(&ground.state());
    ground.deploy(one.as_str()).with(3);
}

#[test]
fn a_freeze_that_cannot_be_understood_is_named_with_its_place() {
    let ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    let odd = FREEZE.replace("2090-01-04 08:00", "mon 08:00");
    ground.write_environment(&format!("{}{odd}", Ground::environment()));
    let refused = ground.deploy(one.as_str()).with(2);
    assert!(refused.err.contains("production.toml:"), "{refused:#?}");
    assert!(refused.err.contains("either both"), "{refused:#?}");
}
