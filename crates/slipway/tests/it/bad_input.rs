//! What people and machines get wrong. Each time: the message says what to do, and
//! visitors notice nothing.

use std::net::TcpListener;

use serde_json::Value;

use crate::disk::Disk;
use crate::ground::{Ended, Ground, left};
use crate::load::{Load, brief};
use crate::release::{Draft, draft};

/// Deploys something unusable beside a good release under load; gives what was printed.
fn unusable(bad: Draft) -> (Value, Ended) {
    let ground = Ground::up();
    let good = draft("normal", "good").make(&ground.state());
    ground.deploy(good.as_str()).with(0);
    let bad = bad.make(&ground.state());
    let load = Load::start(ground.address(), 4);
    let printed = ground.run(&["deploy", bad.as_str()]).with(1);
    let tally = load.count();
    assert_eq!(tally.failed, 0, "{}", brief(&tally));
    assert_eq!(tally.release(bad.as_str()).served, 0, "{}", brief(&tally));
    assert_eq!(ground.live().as_deref(), Some(good.as_str()));
    let history = ground.run(&["history", "--json"]).json();
    let state = history[1]["state"].clone();
    assert_eq!(state["name"], "failed", "{state:#}");
    (state, printed)
}

/// The reason of a failed rollout holds every one of `words`, and a person sees it.
#[track_caller]
fn says((state, printed): &(Value, Ended), words: &[&str]) {
    let reason = state["reason"].as_str().unwrap();
    let shown = [&*printed.out, &*printed.err].join(" ");
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(reason.contains(word), "{word:?} is missing in {reason:?}");
        assert!(shown.contains(word), "{word:?} is missing in {shown}");
    }
}

#[test]
fn a_release_that_cannot_be_started() {
    let end = unusable(draft("normal", "bad").start(&["./no-such-program", "serve"]));
    says(&end, &["no-such-program"]);
}

#[test]
fn a_release_that_dies_at_once() {
    let end = unusable(draft("dies-at-once", "bad"));
    says(&end, &["the configuration has no key PRICES"]);
}

#[test]
fn a_release_that_listens_on_another_port() {
    let end = unusable(draft("wrong-port", "bad"));
    says(&end, &["PORT"]);
}

#[test]
fn a_release_that_is_never_healthy() {
    let end = unusable(draft("never-healthy", "bad"));
    says(&end, &["503", "/health"]);
}

#[test]
fn a_release_that_answers_health_and_nothing_else() {
    let end = unusable(draft("health-only", "bad"));
    says(&end, &["500", "/"]);
}

#[test]
fn a_migration_that_fails() {
    let end = unusable(draft("normal", "bad").migrate("broken"));
    says(
        &end,
        &["./app migrate broken", "bookings", "does not exist"],
    );
}

#[test]
fn a_release_that_starts_slowly_is_waited_for() {
    let ground = Ground::up();
    let slow = draft("slow-start", "slow").make(&ground.state());
    let report = ground.deploy(slow.as_str()).with(0).json();
    assert_eq!(report["good"], true, "{report:#}");
}

#[test]
fn a_release_whose_gate_says_no_is_refused() {
    let ground = Ground::up();
    let red = draft("normal", "red")
        .verdict("not-met")
        .make(&ground.state());
    let refused = ground.run(&["deploy", red.as_str()]).with(3);
    assert!(refused.err.contains("the gate unit of"), "{refused:#?}");
    assert!(refused.err.contains("not-met"), "{refused:#?}");
}

#[test]
fn a_release_whose_files_were_changed_is_refused() {
    let ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    let file = ground
        .state()
        .join("releases")
        .join(one.as_str())
        .join("content/name");
    std::fs::write(file, "another").unwrap();
    let refused = ground.run(&["deploy", one.as_str()]).with(3);
    assert!(
        refused.err.contains("are not what its manifest says"),
        "{refused:#?}"
    );
}

#[test]
fn names_that_do_not_exist() {
    let ground = Ground::up();
    let cases: [(&[&str], &str); 6] = [
        (&["deploy"], "there is no release of shop yet"),
        (&["deploy", "abc"], "no release starts with \"abc\""),
        (&["deploy", "--service", "bakery"], "has no service bakery"),
        (
            &["deploy", "--environment", "staging"],
            "runs the environment production",
        ),
        (&["receipt", "abc"], "no rollout is called \"abc\""),
        (&["logs", "abc"], "nothing that is called \"abc\" has a log"),
    ];
    for (arguments, words) in cases {
        let ended = ground.run(arguments);
        assert!(matches!(ended.code, Some(2 | 3)), "{ended:#?}");
        assert!(ended.err.contains(words), "{ended:#?}");
        assert!(ended.err.contains("next:"), "{ended:#?}");
    }
    let nothing = ground.run(&["rollback"]).with(3);
    assert!(
        nothing.err.contains("nothing to roll back to"),
        "{nothing:#?}"
    );
    let nothing = ground.run(&["cancel"]).with(3);
    assert!(
        nothing.err.contains("no rollout is on its way"),
        "{nothing:#?}"
    );
}

#[test]
fn of_two_deployments_at_once_the_newer_wins_and_both_are_told() {
    let ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    let older = draft("never-healthy", "older").make(&ground.state());
    let newer = draft("normal", "newer").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    let load = Load::start(ground.address(), 4);
    let first = ground.spawn(&["deploy", older.as_str(), "--json"]);
    ground.wait_for("the older rollout to start", || {
        ground.status()["services"][0]["rollout"]["release"] == older.as_str()
    });
    let second = ground.deploy(newer.as_str()).with(0).json();
    let first = first.wait().with(1).json();
    assert_eq!(first["state"]["name"], "superseded", "{first:#}");
    assert_eq!(first["state"]["by"], second["rollout"], "{first:#}");
    assert_eq!(ground.live().as_deref(), Some(newer.as_str()));
    assert_eq!(load.count().failed, 0);

    let again = ground.run(&["deploy", newer.as_str()]).with(3);
    assert!(again.err.contains("is live already"), "{again:#?}");
}

#[test]
fn ctrl_c_stops_the_watching_and_not_the_rollout() {
    let ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    let phases = ["requested", "intent", "instance-started"];
    for (number, phase) in phases.into_iter().enumerate() {
        let name: &'static str = ["a", "b", "c"][number];
        let next = draft("slow-start", name).make(&ground.state());
        let before = ground.events().len();
        let deploy = ground.spawn(&["deploy", next.as_str()]);
        ground.wait_for(phase, || {
            ground.events()[before..]
                .iter()
                .any(|e| e["event"]["kind"] == phase)
        });
        deploy.interrupt();
        let ended = deploy.wait();
        // Before the order was answered there is nothing yet to go on.
        assert!(matches!(ended.code, Some(130) | None), "{ended:#?}");
        if ended.code == Some(130) {
            assert!(
                ended.err.contains("goes on without this terminal"),
                "{ended:#?}"
            );
            assert!(ended.err.contains("slipway cancel"), "{ended:#?}");
            assert!(ended.err.contains("slipway rollback"), "{ended:#?}");
        }
        ground.wait_for("the rollout to go on", || {
            ground.live().as_deref() == Some(next.as_str())
        });
    }
}

#[test]
fn a_rollout_is_cancelled_before_visitors_see_it() {
    let ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    let two = draft("never-healthy", "two").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    let deploy = ground.spawn(&["deploy", two.as_str(), "--json"]);
    ground.wait_for("an instance", || {
        let status = ground.status();
        status["services"][0]["rollout"]["instances"]
            .as_array()
            .is_some_and(|i| !i.is_empty())
    });
    let cancelled = ground.run(&["cancel", "--json"]).with(0).json();
    assert_eq!(cancelled["state"]["name"], "cancelled", "{cancelled:#}");
    deploy.wait().with(1);
    assert_eq!(ground.live().as_deref(), Some(one.as_str()));
}

#[test]
fn ctrl_c_while_it_starts_and_stops() {
    let mut ground = Ground::new();
    let up = ground.spawn(&["up"]);
    ground.wait_for("the keeper", || ground.pid("keeper").is_some());
    up.interrupt();
    let ended = up.wait();
    // It may have been ready a moment before.
    if ended.code != Some(0) {
        let ended = ended.with(130);
        assert!(ended.err.contains("slipway down"), "{ended:#?}");
    }
    ground.start();
    let down = ground.spawn(&["down"]);
    down.interrupt();
    let ended = down.wait();
    assert!(matches!(ended.code, Some(0 | 130) | None), "{ended:#?}");
    ground.run(&["down"]).with(0);
    assert_eq!(left(&ground.state()), Vec::<String>::new());
}

#[test]
fn a_taken_port_is_named_with_its_holder() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    let ground = Ground::new();
    let ended = ground.run(&["up", "--listen", &address]).with(2);
    let own = std::process::id();
    assert!(
        ended
            .err
            .contains(&format!("the address {address} is taken by process {own}")),
        "{ended:#?}"
    );
    assert!(ended.err.contains("next: stop that process"), "{ended:#?}");
    assert_eq!(left(&ground.state()), Vec::<String>::new());
}

#[test]
fn a_second_up_says_that_it_runs_already() {
    let ground = Ground::up();
    let again = ground.run(&["up", "--json"]).with(0).json();
    assert_eq!(again["already_running"], true, "{again:#}");
    let keeper = ground.run(&["keep"]).with(3);
    assert!(
        keeper.err.contains("is already the keeper of"),
        "{keeper:#?}"
    );
}

#[test]
fn a_full_disk_under_the_journal_is_said_and_visitors_are_served() {
    if !rustix::process::geteuid().is_root() {
        // Only root can make a file system that is full.
        return;
    }
    let disk = Disk::new();
    let mut ground = Ground::new().in_folder(disk.path());
    ground.start();
    let one = draft("normal", "one").make(&ground.state());
    let two = draft("normal", "two").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    let load = Load::start(ground.address(), 4);
    disk.fill();
    let ended = ground.run(&["deploy", two.as_str()]);
    assert!(matches!(ended.code, Some(1 | 3)), "{ended:#?}");
    assert!(
        ended.err.contains("disk") || ended.err.contains("room"),
        "{ended:#?}"
    );
    assert!(ended.err.contains("next:"), "{ended:#?}");
    load.more(50);
    assert_eq!(load.count().failed, 0);
    assert_eq!(ground.live().as_deref(), Some(one.as_str()));
    disk.free();
    ground.deploy(two.as_str()).with(0);
}

#[test]
fn a_mistake_in_the_environment_s_file_does_not_keep_a_release_from_being_taken_back() {
    let ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    let two = draft("normal", "two").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    ground.deploy(two.as_str()).with(0);
    ground.write_environment("[proxy]\nlisten = ");
    let refused = ground.run(&["deploy", one.as_str(), "--force"]).with(2);
    assert!(refused.err.contains("production.toml:2"), "{refused:#?}");
    ground.run(&["rollback"]).with(0);
    assert_eq!(ground.live().as_deref(), Some(one.as_str()));
}

#[test]
fn three_who_start_it_at_once_all_see_it_run_and_one_who_stops_it_stops_it() {
    let ground = Ground::new();
    for _ in 0..3 {
        let starting: Vec<_> = (0..3).map(|_| ground.spawn(&["up", "--json"])).collect();
        let ups: Vec<_> = starting
            .into_iter()
            .map(|up| up.wait().with(0).json()["console"].clone())
            .collect();
        assert!(ups.iter().all(|console| *console == ups[0]), "{ups:?}");
        ground.run(&["down"]).with(0);
        assert_eq!(left(&ground.state()), Vec::<String>::new());
        ground.run(&["status"]).with(4);
    }
}

#[test]
fn what_slipway_writes_down_is_for_its_own_account() {
    use std::os::unix::fs::PermissionsExt as _;
    let ground = Ground::up();
    for name in [
        "journal.db",
        "keeper.json",
        "environment.toml",
        "logs",
        "runs",
        "cache",
        "proxy",
    ] {
        let path = ground.state().join(name);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
    }
    let hidden = std::fs::read_to_string(ground.state().join(".gitignore")).unwrap();
    assert_eq!(hidden, "*\n");
}

#[test]
fn what_the_caller_has_open_is_handed_to_nobody() {
    let ground = Ground::new();
    let secret = ground.project().join("secret");
    std::fs::write(&secret, "").unwrap();
    let up = ground.command(&["up", "--json"]);
    let status = std::process::Command::new("sh")
        .args(["-c", "exec 9< \"$0\"; exec \"$@\""])
        .arg(&secret)
        .arg(up.get_program())
        .args(up.get_args())
        .stdout(std::process::Stdio::null())
        .status();
    assert!(status.unwrap().success());
    for role in ["keeper", "proxy", "control"] {
        let folder = format!("/proc/{}/fd", ground.pid(role).unwrap());
        let open = std::fs::read_dir(folder).unwrap().flatten();
        let open: Vec<_> = open
            .filter_map(|fd| std::fs::read_link(fd.path()).ok())
            .collect();
        assert!(!open.contains(&secret), "{role}: {open:?}");
    }
}
