//! From a project's source to visitors in one command.

use std::fs;
use std::process::Command;

use crate::ground::{Ground, left};
use crate::load::{Load, brief};
use crate::release::{link, program};

pub(crate) const PIPELINE: &str = r#"
[project]
name = "shop"

[job.check]
run = ["sh", "-c", "echo checked"]
inputs = ["page.txt"]

[job.build]
run = ["sh", "-c", "mkdir -p out && cp app page.txt out/"]
needs = ["check"]
inputs = ["app", "page.txt"]
outputs = ["out"]

[service.shop]
needs = ["build"]
start = ["./app", "serve", "normal"]
health = "/health"
preview = ["/"]
files = [{ from = "out", to = "." }]
"#;

/// A project with the test application in it, under version control.
pub(crate) fn project() -> Ground {
    let mut ground = Ground::new();
    let folder = ground.project();
    link(&program(), &folder.join("app"));
    fs::write(folder.join("page.txt"), "one").unwrap();
    fs::write(folder.join("slipway.toml"), PIPELINE).unwrap();
    fs::write(folder.join(".gitignore"), "out\n").unwrap();
    for arguments in [
        &["init", "--quiet"][..],
        &["add", "--all"],
        &[
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "commit",
            "--quiet",
            "-m",
            "one",
        ],
    ] {
        let git = Command::new("git")
            .current_dir(&folder)
            .args(arguments)
            .output()
            .unwrap();
        assert!(git.status.success(), "{git:?}");
    }
    ground.start();
    ground
}

#[test]
fn a_project_is_shipped_and_a_change_replaces_it_under_load() {
    let ground = project();
    let first = ground.run(&["ship", "--json"]).with(0).json();
    let release = first["releases"][0]["release"].as_str().unwrap().to_owned();
    assert_eq!(first["passed"], true, "{first:#}");
    assert_eq!(
        first["rollouts"][0]["release"],
        release.as_str(),
        "{first:#}"
    );
    assert_eq!(ground.live().as_deref(), Some(release.as_str()));

    let again = ground.run(&["ship"]).with(0);
    assert!(again.out.contains("is live already"), "{again:#?}");

    fs::write(ground.project().join("page.txt"), "two").unwrap();
    let load = Load::start(ground.address(), 4);
    let second = ground.run(&["ship", "--json"]).with(0).json();
    let tally = load.count();
    assert_eq!(tally.failed, 0, "{}", brief(&tally));
    assert_eq!(
        second["rollouts"][0]["previous"],
        release.as_str(),
        "{second:#}"
    );
    let kinds: Vec<_> = ground
        .events()
        .iter()
        .filter(|e| e["event"]["area"] == "pipeline")
        .map(|e| e["event"]["kind"].as_str().unwrap().to_owned())
        .collect();
    assert!(kinds.iter().any(|k| k == "release-made"), "{kinds:?}");
}

#[test]
fn a_job_that_fails_ends_it_before_anything_is_deployed() {
    let ground = project();
    let broken = PIPELINE.replace("echo checked", "echo the page is wrong; exit 4");
    fs::write(ground.project().join("slipway.toml"), broken).unwrap();
    let failed = ground.run(&["ship"]).with(1);
    assert!(failed.err.contains("the page is wrong"), "{failed:#?}");
    assert_eq!(ground.live(), None);
    assert_eq!(
        ground
            .run(&["history", "--json"])
            .with(0)
            .json()
            .as_array()
            .map(Vec::len),
        Some(0)
    );
}

#[test]
fn without_slipway_running_nothing_is_built() {
    let ground = project();
    ground.run(&["down"]).with(0);
    let refused = ground.run(&["ship"]).with(4);
    assert!(refused.err.contains("slipway up"), "{refused:#?}");
    assert!(!ground.project().join("out").exists());
}

#[test]
fn ctrl_c_while_the_pipeline_runs_stops_its_jobs_and_leaves_nothing() {
    let ground = project();
    let slow = PIPELINE.replace("echo checked", "touch started; sleep 600");
    fs::write(ground.project().join("slipway.toml"), slow).unwrap();
    let ship = ground.spawn(&["ship"]);
    let started = ground.project().join("started");
    ground.wait_for("the job", || started.exists());
    ship.interrupt();
    ship.wait().with(130);
    // The keeper's own processes name the project; a job works in it.
    let jobs: Vec<String> = left(&ground.project())
        .into_iter()
        .filter(|line| line.contains("sleep 600"))
        .collect();
    assert_eq!(jobs, Vec::<String>::new());
    assert_eq!(ground.live(), None);
}
