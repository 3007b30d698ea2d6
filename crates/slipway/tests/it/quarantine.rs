//! A release that was taken back comes again by a person's word only.

use std::fs;
use std::process::Command;

use crate::ground::Ground;
use crate::release::draft;
use crate::ship;

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

#[test]
fn another_release_of_a_commit_that_was_taken_back_is_refused_as_well() {
    let ground = ship::project();
    let folder = ground.project();
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        let person = ["-c", "user.name=a", "-c", "user.email=a@b"];
        let done = git.current_dir(&folder).args(person).args(arguments);
        assert!(done.output().unwrap().status.success());
    };
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    // What is built depends on something that is no part of the commit.
    let pipeline = ship::PIPELINE
        .replace("cp app page.txt", "cp app page.txt extra.txt")
        .replace(
            "[\"app\", \"page.txt\"]",
            "[\"app\", \"page.txt\", \"extra.txt\"]",
        );
    write("slipway.toml", &pipeline);
    write(".gitignore", "out\nextra.txt\n");
    write("extra.txt", "one");
    git(&["commit", "-qam", "two"]);
    ground.run(&["ship"]).with(0);
    write("page.txt", "three");
    git(&["commit", "-qam", "three"]);
    ground.run(&["ship"]).with(0);
    ground
        .run(&["rollback", "--reason", "prices are wrong"])
        .with(0);
    write("extra.txt", "two");
    let refused = ground.run(&["ship"]).with(3);
    assert!(
        refused.err.contains("is of the same commit as"),
        "{refused:#?}"
    );
    let list = ground.run(&["quarantine", "list", "--json"]).with(0).json();
    let condemned = list[0]["release"].as_str().unwrap();
    ground
        .run(&["quarantine", "lift", condemned, "the prices were right"])
        .with(0);
    ground.run(&["ship"]).with(0);
}
