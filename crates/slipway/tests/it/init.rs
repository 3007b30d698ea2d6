//! The first `slipway.toml`, from folders as people have them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

use crate::ground::Ground;
use crate::words::fits;

/// An empty project with these files in it.
fn project(files: &[(&str, &str)]) -> Ground {
    let ground = Ground::empty();
    for (path, text) in files {
        let path = ground.project().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        if text.starts_with("#!") {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    ground
}

fn init(ground: &Ground, words: &[&str]) -> Value {
    ground
        .run(&[&["init", "--json"], words].concat())
        .with(0)
        .json()
}

const NODE: [(&str, &str); 2] = [
    (
        "package.json",
        r#"{ "name": "corner", "scripts": { "start": "node server.js" } }"#,
    ),
    (
        "server.js",
        "listen(process.env.PORT, process.env.DATABASE_URL, process.env.GREETING, '/health')",
    ),
];

#[test]
fn each_kind_of_folder_gets_files_that_can_be_read_back() {
    let cargo = ("Cargo.toml", "[package]\nname = \"web\"");
    let kinds: [(&str, &[(&str, &str)]); 5] = [
        ("node", &NODE),
        (
            "go",
            &[
                ("go.mod", "module web"),
                (
                    "main.go",
                    "package main\nfunc main() { os.Getenv(\"PORT\") }",
                ),
            ],
        ),
        ("rust", &[cargo, ("src/main.rs", "env::var(\"PORT\")")]),
        (
            "procfile",
            &[
                ("Procfile", "web: ./serve.sh"),
                ("serve.sh", "#!/bin/sh\necho $PORT"),
            ],
        ),
        ("program", &[("serve", "#!/bin/sh\nexec httpd -p $PORT")]),
    ];
    for (kind, files) in kinds {
        let ground = project(files);
        let report = init(&ground, &[]);
        assert_eq!(
            (&report["kind"], &report["written"]),
            (&kind.into(), &true.into()),
            "{report:#}"
        );
        let text = fs::read_to_string(ground.project().join("slipway.toml")).unwrap();
        assert!(text.lines().count() <= 30, "{text}");
        // A name that nobody has stops the run after everything was read.
        let run = ground.run(&["run", "no-such-job"]).with(2);
        assert!(
            run.err.contains("no-such-job") && !run.err.contains("mistake"),
            "{run:#?}"
        );
        assert!(
            ground
                .project()
                .join("delivery/environments/production.toml")
                .exists()
        );
    }
}

#[test]
fn what_the_sources_read_has_a_place_in_the_environment() {
    let ground = project(&NODE);
    init(&ground, &["--environment", "staging"]);
    let text =
        fs::read_to_string(ground.project().join("delivery/environments/staging.toml")).unwrap();
    insta::assert_snapshot!(text);
}

#[test]
fn what_it_says_fits_and_names_what_was_guessed() {
    let ground = project(&NODE);
    let shown = ground.run(&["init", "--dry-run"]).with(0);
    fits(&shown.out);
    insta::assert_snapshot!(shown.out);
    assert!(!ground.project().join("slipway.toml").exists());
    assert!(!ground.project().join("delivery").exists());
}

#[test]
fn nothing_is_overwritten_unless_it_is_told_to() {
    let ground = project(&NODE);
    let own = ground.project().join("slipway.toml");
    fs::write(&own, "# mine").unwrap();
    let refused = ground.run(&["init"]).with(3);
    assert!(
        refused.err.contains("slipway.toml is there already"),
        "{refused:#?}"
    );
    assert!(refused.err.contains("--force"), "{refused:#?}");
    assert_eq!(fs::read_to_string(&own).unwrap(), "# mine");
    assert!(
        !ground.project().join("delivery").exists(),
        "all or nothing"
    );
    init(&ground, &["--dry-run"]);
    assert_eq!(fs::read_to_string(&own).unwrap(), "# mine");
    init(&ground, &["--force"]);
    assert!(
        fs::read_to_string(&own)
            .unwrap()
            .contains("[service.corner]")
    );
}

#[test]
fn what_cannot_be_seen_is_said_with_what_helps() {
    for (files, said, next) in [
        (
            &[("notes.txt", "hello")][..],
            "there is notes.txt",
            "--start",
        ),
        (
            &[("one.py", "PORT"), ("two.py", "PORT")],
            "one.py, two.py",
            "--start",
        ),
        (
            &[("package.json", "{ \"name\"")],
            "package.json cannot be read",
            "correct package.json",
        ),
    ] {
        let ground = project(files);
        let unseen = ground.run(&["init"]).with(2);
        assert!(
            unseen.err.contains(said) && unseen.err.contains(next),
            "{unseen:#?}"
        );
    }
    let ground = Ground::empty();
    let nowhere = ground.run(&["init", "/nowhere/at/all"]).with(2);
    assert!(nowhere.err.contains("/nowhere/at/all"), "{nowhere:#?}");
}

#[test]
fn a_project_above_is_not_meant() {
    let ground = project(&NODE);
    init(&ground, &[]);
    let inner = ground.project().join("inner");
    fs::create_dir(&inner).unwrap();
    fs::write(inner.join("serve"), "#!/bin/sh\necho $PORT").unwrap();
    fs::set_permissions(inner.join("serve"), fs::Permissions::from_mode(0o755)).unwrap();
    let slipway = Command::new(env!("CARGO_BIN_EXE_slipway"))
        .current_dir(&inner)
        .arg("init")
        .output()
        .unwrap();
    assert!(slipway.status.success(), "{slipway:?}");
    assert!(inner.join("slipway.toml").exists());
}
