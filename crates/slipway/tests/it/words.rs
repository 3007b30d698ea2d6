//! What a person reads in a terminal of 80 columns.

use crate::ground::Ground;
use crate::release::draft;

/// Ids, times, ports and folders differ from run to run.
pub(crate) fn settled(ground: &Ground, text: &str) -> String {
    let text = text
        .replace(&ground.state().display().to_string(), "STATE")
        .replace(&ground.project().display().to_string(), "PROJECT");
    let mut out = String::new();
    for line in text.lines() {
        let mut words = Vec::new();
        for word in line.split(' ') {
            words.push(settled_word(word));
        }
        out.push_str(words.join(" ").trim_end());
        out.push('\n');
    }
    out
}

fn settled_word(word: &str) -> String {
    let hex = |w: &str| w.len() >= 8 && w.chars().all(|c| c.is_ascii_hexdigit());
    if hex(word) {
        return "#".repeat(word.len());
    }
    if word.starts_with("http://127.0.0.1:") || word.starts_with("127.0.0.1:") {
        return "ADDRESS".to_owned();
    }
    word.to_owned()
}

/// No line is wider than a terminal of 80 columns.
#[track_caller]
pub(crate) fn fits(text: &str) {
    for line in text.lines() {
        assert!(
            line.chars().count() <= 80,
            "{} columns: {line}",
            line.chars().count()
        );
    }
}

#[test]
fn help_fits_and_has_examples() {
    let ground = Ground::new();
    let verbs = [
        "init",
        "completion",
        "up",
        "down",
        "ship",
        "run",
        "why",
        "gate",
        "deploy",
        "rollback",
        "cancel",
        "approve",
        "decline",
        "lock",
        "unlock",
        "quarantine",
        "status",
        "history",
        "receipt",
        "logs",
        "exec",
        "journal",
        "doctor",
        "keep",
    ];
    for verb in verbs {
        let help = ground.run(&[verb, "--help"]).with(0);
        fits(&help.out);
        assert!(
            help.out.contains("Examples:\n  slipway"),
            "{verb} has no example"
        );
    }
    let help = ground.run(&["--help"]).with(0);
    fits(&help.out);
    insta::assert_snapshot!("help", help.out);
}

#[test]
fn without_anything_running_every_verb_says_what_to_do() {
    let ground = Ground::new();
    let verbs: [&[&str]; 8] = [
        &["status"],
        &["deploy"],
        &["rollback"],
        &["cancel"],
        &["receipt"],
        &["logs"],
        &["journal", "verify"],
        &["exec", "--", "true"],
    ];
    let mut all = Vec::new();
    for verb in verbs {
        let ended = ground.run(verb);
        fits(&settled(&ground, &ended.err));
        all.push(
            [
                format!("$ slipway {}\n", verb.join(" ")),
                settled(&ground, &ended.err),
                format!("[{}]\n", ended.code.unwrap()),
            ]
            .concat(),
        );
    }
    insta::assert_snapshot!("nothing_runs", all.join("\n"));
}

#[test]
fn a_command_line_that_cannot_be_used() {
    let ground = Ground::new();
    let wrong = ground.run(&["deplay"]).with(2);
    assert!(wrong.err.contains("deploy"), "{wrong:#?}");
    let wrong = ground.run(&["up", "--console", "0.0.0.0:80"]).with(2);
    assert!(wrong.err.contains("loopback only"), "{wrong:#?}");
    let wrong = ground.run(&["up", "--environment", "moon"]).with(2);
    assert!(
        wrong
            .err
            .contains("environments of this project: production"),
        "{wrong:#?}"
    );
}

#[test]
fn what_runs_is_shown_in_eighty_columns() {
    let ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    let deployed = ground.run(&["deploy", one.as_str()]).with(0);
    fits(&deployed.out);
    assert!(deployed.out.contains("back"), "{deployed:#?}");
    assert!(
        deployed.err.contains("live: every new request"),
        "{deployed:#?}"
    );
    for verb in [&["status"][..], &["history"], &["receipt"]] {
        let shown = ground.run(verb).with(0);
        fits(&settled(&ground, &shown.out));
        assert!(
            shown.out.contains(one.as_str().get(..8).unwrap()),
            "{shown:#?}"
        );
    }
    let logs = ground.run(&["logs", "--last", "5"]).with(0);
    assert!(logs.out.contains("listening on"), "{logs:#?}");
    let of_service = ground.run(&["logs", "shop", "--last", "5"]).with(0);
    assert!(of_service.out.contains("listening on"), "{of_service:#?}");
    let nothing = ground.run(&["logs", "nothing"]).with(2);
    fits(&nothing.err);
    let logs = ground.run(&["logs", "control", "--json"]).with(0);
    assert!(logs.out.lines().all(|l| l.starts_with('{')), "{logs:#?}");
    ground.run(&["doctor"]).with(0);
    let verified = ground.run(&["journal", "verify", "--json"]).with(0).json();
    assert_eq!(verified["result"], "whole", "{verified:#}");
    ground.run(&["down"]).with(0);
    let ended = ground.run(&["logs", "shop"]).with(1);
    assert!(ended.err.contains("logs --service shop"), "{ended:#?}");
    let ended = ground.run(&["logs", "--service", "shop"]).with(0);
    assert!(ended.out.contains("listening on"), "{ended:#?}");
}

#[test]
fn following_a_log_ends_with_ctrl_c() {
    let ground = Ground::up();
    let follow = ground.spawn(&["logs", "keeper", "--follow"]);
    // It has started when its signal handler is there, which the kernel tells.
    ground.wait_for("the follower", || follow.catches_interrupt());
    follow.interrupt();
    let ended = follow.wait().with(130);
    assert!(ended.out.contains("keeping"), "{ended:#?}");
}

#[test]
fn the_plan_of_a_rollback_is_told_at_any_moment() {
    let ground = Ground::up();
    let plan = || ground.run(&["rollback", "--plan"]);
    let before = plan().with(3);
    assert!(
        before.err.contains("nothing was ever deployed"),
        "{before:#?}"
    );
    let one = draft("normal", "one").make(&ground.state());
    let two = draft("normal", "two").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    let first = plan().with(3);
    fits(&first.out);
    assert!(
        first.out.starts_with("no ") && first.out.contains("first release"),
        "{first:#?}"
    );
    ground.deploy(two.as_str()).with(0);
    let warm = plan().with(0);
    fits(&warm.out);
    assert!(
        warm.out.starts_with("yes ") && warm.out.contains("loss"),
        "{warm:#?}"
    );
    ground.run(&["down"]).with(0);
    let nobody = plan().with(3);
    fits(&nobody.out);
    for words in ["no ", "control does not answer", "slipway up"] {
        assert!(nobody.out.contains(words), "{words}: {nobody:#?}");
    }
}

#[test]
fn a_watched_status_says_what_changes_until_ctrl_c() {
    let ground = Ground::up();
    let watch = ground.spawn(&["status", "--watch", "--json"]);
    ground.wait_for("the watcher", || watch.catches_interrupt());
    let one = draft("normal", "one").make(&ground.state());
    // It takes seconds, so it is looked at in between.
    ground.deploy(one.as_str()).with(0);
    watch.interrupt();
    let ended = watch.wait().with(130);
    let looks: Vec<serde_json::Value> = ended
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(looks.len() >= 2, "{ended:#?}");
    let live = |look: &serde_json::Value| look["services"][0]["live"]["release"] == one.as_str();
    assert_eq!(looks[0]["services"][0]["service"], "shop", "{ended:#?}");
    assert!(!live(&looks[0]) && looks.iter().any(live), "{ended:#?}");
}
