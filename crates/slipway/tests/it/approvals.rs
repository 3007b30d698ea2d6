//! Rollouts that begin when enough people have said yes. Only root can be several people.

use std::process::Command;

use serde_json::Value;

use crate::ground::Ground;
use crate::release::draft;

/// Accounts that every Debian has.
pub(crate) const BY: &str = r#"
[approval.by]
daemon = ["dan@example.org"]
bin = []
games = []
"#;

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn needing(need: u32, within: &str) -> String {
    format!("[approval]\nneed = {need}\nwithin = {within:?}\n{BY}")
}

/// The newest rollout that is not over.
fn rollout(ground: &Ground) -> Value {
    ground.status()["services"][0]["rollout"].clone()
}

#[track_caller]
fn refused(ended: crate::ground::Ended, words: &str) {
    let ended = ended.with(3);
    assert!(ended.err.contains(words), "{words}: {ended:#?}");
}

#[test]
fn two_people_have_to_say_yes_and_not_of_their_own_change() {
    if !is_root() {
        return;
    }
    let ground = Ground::up_with(&needing(2, "1h"));
    let one = draft("normal", "one")
        .author("dan@example.org")
        .make(&ground.state());
    let deploying = ground.spawn(&["deploy", one.as_str(), "--json"]);
    ground.wait_for("the rollout to wait", || {
        rollout(&ground)["approval"]["need"] == 2
    });
    let what = one.as_str().get(..12).unwrap();
    let approve = |who: &str| ground.run_as(who, &["approve", what]);
    refused(approve("daemon"), "own change");
    refused(approve("nobody"), "does not listen to the account nobody");
    refused(ground.run(&["approve", what]), "root is not among those");
    let list = ground.run_as("bin", &["approve"]).with(0);
    assert!(list.out.contains("0 of 2 approvals"), "{list:#?}");
    let first = approve("bin").with(0);
    assert!(first.out.contains("waits for more"), "{first:#?}");
    refused(approve("bin"), "approved it already");
    // What was said is in the journal and not in a process.
    let control = ground.kill("control");
    ground.wait_for("another control", || {
        ground.pid("control").is_some_and(|pid| pid != control)
    });
    assert_eq!(rollout(&ground)["approval"]["given"][0], "bin");
    assert_eq!(ground.live(), None);
    // What is locked is not approved either, or it would begin.
    ground.run(&["lock", "the database is being moved"]).with(0);
    refused(approve("games"), "the database is being moved");
    ground.run(&["unlock"]).with(0);
    let second = approve("games").with(0);
    assert!(second.out.contains("is approved and begins"), "{second:#?}");
    let report = deploying.wait().with(0).json();
    assert_eq!(report["good"], true, "{report:#}");
    assert_eq!(ground.live().as_deref(), Some(one.as_str()));
    let said = ground.events();
    let said = said.iter().filter(|e| e["event"]["kind"] == "approved");
    let said: Vec<&str> = said.filter_map(|e| e["actor"]["name"].as_str()).collect();
    assert_eq!(said, ["bin", "games"]);
}

#[test]
fn a_no_cancels_it_and_another_release_needs_approvals_of_its_own() {
    if !is_root() {
        return;
    }
    let ground = Ground::up_with(&needing(2, "1h"));
    let (one, two) = (
        draft("normal", "one").author("eve@example.org"),
        draft("normal", "two").author("eve@example.org"),
    );
    let (one, two) = (one.make(&ground.state()), two.make(&ground.state()));
    ground.run(&["deploy", one.as_str(), "--detach"]).with(0);
    ground.run_as("bin", &["approve", one.as_str()]).with(0);
    ground.run(&["deploy", two.as_str(), "--detach"]).with(0);
    assert_eq!(
        rollout(&ground)["approval"]["given"],
        Value::Array(Vec::new())
    );
    refused(
        ground.run_as("games", &["approve", one.as_str()]),
        "no rollout or release that waits",
    );
    let no = ["decline", two.as_str(), "prices are wrong"];
    ground.run_as("games", &no).with(0);
    let history = ground.run(&["history", "--json"]).with(0).json();
    assert_eq!(history[0]["state"]["name"], "superseded", "{history:#}");
    assert_eq!(history[1]["state"]["name"], "cancelled", "{history:#}");
    let reason = history[1]["state"]["reason"].as_str().unwrap();
    assert_eq!(reason, "games declined it: prices are wrong");
    assert_eq!(ground.live(), None);
}

#[test]
fn while_a_release_waits_for_approval_the_live_one_can_be_taken_back() {
    let ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    let two = draft("normal", "two").make(&ground.state());
    let three = draft("normal", "three").author("eve@example.org");
    let three = three.make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    ground.deploy(two.as_str()).with(0);
    let environment = format!("{}\n{}", Ground::environment(), needing(1, "1h"));
    ground.write_environment(&environment);
    let waits = ground.run(&["deploy", three.as_str(), "--detach"]).with(0);
    assert!(waits.out.contains("waits for approval"), "{waits:#?}");
    let shown = ground.run(&["status"]).with(0);
    assert!(shown.out.contains("0 of 2 approvals"), "{shown:#?}");
    // The old release stays warm until somebody has said yes.
    let plan = ground.run(&["rollback", "--plan", "--json"]).with(0).json();
    assert_eq!(plan["kind"], "warm", "{plan:#}");
    ground.run(&["rollback"]).with(0);
    assert_eq!(ground.live().as_deref(), Some(one.as_str()));
    assert_eq!(rollout(&ground)["release"], three.as_str());
    ground.run(&["cancel"]).with(0);
}

/// A commit in the project by whoever has this address.
fn commit(ground: &Ground, address: &str) -> String {
    let folder = ground.project();
    let (email, name) = (format!("user.email={address}"), "user.name=somebody");
    let git = |arguments: &[&str]| {
        let git = Command::new("git")
            .current_dir(&folder)
            .args(["-c", name, "-c", &email])
            .args(arguments)
            .output()
            .unwrap();
        assert!(git.status.success(), "{git:?}");
        String::from_utf8(git.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "--quiet"]);
    git(&["commit", "--quiet", "--allow-empty", "-m", "a change"]);
    git(&["rev-parse", "HEAD"])
}

/// A release that somebody wrote on top of what the project has.
fn written(ground: &Ground, name: &'static str, by: &'static str) -> String {
    let draft = draft("normal", name).author(by);
    let release = draft.commit(&commit(ground, by)).make(&ground.state());
    release.as_str().to_owned()
}

#[test]
fn what_is_taken_back_while_a_release_waits_is_a_part_of_its_change_again() {
    if !is_root() {
        return;
    }
    let ground = Ground::up();
    let one = written(&ground, "one", "eve@example.org");
    let two = written(&ground, "two", "dan@example.org");
    let three = written(&ground, "three", "eve@example.org");
    ground.deploy(&one).with(0);
    ground.deploy(&two).with(0);
    let environment = format!("{}\n{}", Ground::environment(), needing(2, "1h"));
    ground.write_environment(&environment);
    ground.run(&["deploy", &three, "--detach"]).with(0);
    let approval = rollout(&ground)["approval"].clone();
    assert_eq!(approval["own"], Value::Array(Vec::new()), "{approval:#}");
    ground.run_as("daemon", &["approve", &three]).with(0);
    ground.run(&["rollback"]).with(0);
    assert_eq!(ground.live().as_deref(), Some(one.as_str()));
    // Now daemon's change lies between what is live and what waits: that yes counts no more.
    let first = ground.run_as("bin", &["approve", &three]).with(0);
    assert!(first.out.contains("1 of 2 approvals (bin)"), "{first:#?}");
    refused(ground.run_as("daemon", &["approve", &three]), "own change");
    ground.run_as("games", &["approve", &three]).with(0);
    ground.wait_for("the release to be live", || {
        ground.live().as_deref() == Some(three.as_str())
    });
}

#[test]
fn where_git_does_not_know_what_is_live_two_have_to_say_yes() {
    let ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    let environment = format!("{}\n{}", Ground::environment(), needing(1, "1h"));
    ground.write_environment(&environment);
    let two = written(&ground, "two", "eve@example.org");
    ground.run(&["deploy", &two, "--detach"]).with(0);
    assert_eq!(rollout(&ground)["approval"]["need"], 2);
}

#[test]
fn an_order_that_waits_stops_nothing_that_was_approved_until_it_is_approved_itself() {
    if !is_root() {
        return;
    }
    let ground = Ground::up_with(&needing(1, "1h"));
    let one = draft("never-healthy", "one").author("eve@example.org");
    let two = draft("normal", "two").author("eve@example.org");
    let (one, two) = (one.make(&ground.state()), two.make(&ground.state()));
    ground.run(&["deploy", one.as_str(), "--detach"]).with(0);
    ground.run_as("bin", &["approve", one.as_str()]).with(0);
    ground.run(&["deploy", two.as_str(), "--detach"]).with(0);
    let state = |index: usize| {
        let history = ground.run(&["history", "--json"]).with(0).json();
        history[index]["state"]["name"].as_str().unwrap().to_owned()
    };
    ground.wait_for("the first one to start", || state(0) == "started");
    ground.run_as("games", &["approve", two.as_str()]).with(0);
    ground.wait_for("the second one to be live", || {
        ground.live().as_deref() == Some(two.as_str())
    });
    assert_eq!(state(0), "superseded");
}

#[test]
fn what_nobody_approves_in_time_is_cancelled() {
    let ground = Ground::up_with(&needing(1, "1s"));
    let one = draft("normal", "one").author("eve@example.org");
    let one = one.make(&ground.state());
    let ended = ground
        .run(&["deploy", one.as_str(), "--json"])
        .with(1)
        .json();
    assert_eq!(ended["state"]["name"], "cancelled", "{ended:#}");
    let reason = ended["state"]["reason"].as_str().unwrap();
    assert!(reason.contains("not approved in time"), "{reason}");
}

#[test]
fn a_release_of_which_nobody_knows_who_wrote_it_is_not_even_asked_about() {
    let ground = Ground::up_with(&needing(1, "1h"));
    let one = draft("normal", "one").make(&ground.state());
    refused(ground.deploy(one.as_str()), "nobody recorded who wrote");
}
