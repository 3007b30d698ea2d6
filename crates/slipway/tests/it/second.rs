//! Applications that know nothing of Slipway, delivered by it: one in Node from the
//! `slipway.toml` that `init` writes, and a plain process with a start command of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ground::Ground;
use crate::load::{Load, Places, brief};
use crate::release::{link, program};

const WORDCOUNT: Places = Places {
    page: "/",
    upload: Some("/api/count"),
    slow: "/slow?ms=60",
};
/// Ports of their own, so that tests run side by side.
const ANYWHERE: [&str; 4] = ["--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/wordcount")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
        }
    }
}

/// Without Node this says nothing of Slipway.
fn need(program: &str, package: &str) {
    let found = Command::new(program).arg("--version").output();
    assert!(
        found.is_ok_and(|output| output.status.success()),
        "{program} is needed for this test and is not installed: apt-get install {package}"
    );
}

/// What a visitor sees.
fn page(ground: &Ground) -> String {
    let address = ground.address();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let outcome = runtime.block_on(async {
        testkit::visitor::Visitor::new(address, "somebody")
            .get("/")
            .await
    });
    String::from_utf8_lossy(&outcome.answer.unwrap().body).into_owned()
}

#[test]
fn a_node_application_goes_from_init_to_visitors_and_back_under_load() {
    need("node", "nodejs");
    need("npm", "npm");
    let mut ground = Ground::empty();
    copy(&source(), &ground.project());
    let init = ground.run(&["init", "--json"]).with(0).json();
    assert_eq!(
        (&init["kind"], &init["service"]),
        (&"node".into(), &"wordcount".into())
    );
    let run = ground.run(&["run", "--json"]).with(0).json();
    assert_eq!(run["passed"], true, "{run:#}");
    ground.start_with(&ANYWHERE);
    let first = ground.run(&["ship", "--json"]).with(0).json();
    let release = first["releases"][0]["release"].as_str().unwrap().to_owned();
    assert_eq!(ground.live().as_deref(), Some(release.as_str()));
    assert!(page(&ground).contains("How long is it?"));

    let html = ground.project().join("public/index.html");
    let text = fs::read_to_string(&html)
        .unwrap()
        .replace("How long is it?", "Count your words");
    fs::write(&html, text).unwrap();
    let load = Load::at(ground.address(), 8, WORDCOUNT);
    let second = ground.run(&["ship", "--json"]).with(0).json();
    assert_eq!(
        second["rollouts"][0]["previous"],
        release.as_str(),
        "{second:#}"
    );
    assert!(page(&ground).contains("Count your words"));
    load.more(200);
    ground
        .run(&["rollback", "--reason", "the old words were better"])
        .with(0);
    assert!(page(&ground).contains("How long is it?"));
    load.more(200);
    let tally = load.count();
    assert_eq!(tally.failed, 0, "{}", brief(&tally));
    assert_eq!(ground.live().as_deref(), Some(release.as_str()));
}

#[test]
fn a_plain_process_is_started_by_any_command_and_need_not_name_its_release() {
    let mut ground = Ground::empty();
    link(&program(), &ground.project().join("app"));
    let start = "./app serve nameless 2>&1 | cat";
    ground
        .run(&[
            "init",
            "--service",
            "plain",
            "--start",
            start,
            "--health",
            "/health",
        ])
        .with(0);
    ground.start_with(&ANYWHERE);
    let shipped = ground.run(&["ship", "--json"]).with(0).json();
    let rollout = &shipped["rollouts"][0];
    assert_eq!(rollout["good"], true, "{shipped:#}");
    assert_eq!(page(&ground), "nameless");
}

#[test]
fn a_stranger_on_the_port_is_not_taken_for_an_instance_that_names_no_release() {
    let mut ground = Ground::empty();
    link(&program(), &ground.project().join("app"));
    // The child that listens leaves the session, so nobody can tell whose it is.
    let start = "setsid -w ./app serve nameless";
    let words = [
        "--service",
        "plain",
        "--start",
        start,
        "--health",
        "/health",
    ];
    ground.run(&[&["init"], &words[..]].concat()).with(0);
    let file = ground
        .project()
        .join("delivery/environments/production.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        format!("{text}ready_within = \"2s\"\nstop_grace = \"2s\"\n"),
    )
    .unwrap();
    ground.start_with(&ANYWHERE);
    let failed = ground.run(&["ship"]).with(1);
    let said = format!("{}{}", failed.out, failed.err);
    assert!(said.contains("cannot be seen that"), "{failed:#?}");
}
