//! Releases: what is in them, where they come from, and when none is made.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::ground::{Project, shell};
use slipway_journal::Manifest;
use slipway_journal::event::PipelineEvent;
use slipway_pipeline::Provenance;

const SERVICE: &str = "[service.shop]\nneeds = [\"build\"]\nstart = [\"./server\", \"serve\"]\n\
    migrate = [\"./server\", \"migrate\"]\nhealth = \"/health\"\npreview = [\"/\"]\n\
    files = [{ from = \"out\", to = \".\" }, { from = \"in.txt\", to = \"doc/in.txt\" }]\n";

fn project() -> Project {
    project_with("")
}

/// The project, with more at the end of its file.
fn project_with(more: &str) -> Project {
    let script = "mkdir -p out/static; cp in.txt out/server; chmod 700 out/server; \
                  echo body > out/static/style.css";
    let job = shell(
        "build",
        script,
        "inputs = [\"in.txt\"]\noutputs = [\"out\"]",
    );
    let project = Project::new(&format!("{job}{SERVICE}{more}"));
    project.write("in.txt", "one");
    project
}

fn read<T: serde::de::DeserializeOwned>(folder: &Path, name: &str) -> T {
    serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap()
}

#[tokio::test]
async fn a_release_holds_its_files_its_manifest_and_where_it_comes_from() {
    let project = project();
    let told = project.told().await;
    let made = &told.report().releases[0];
    let manifest: Manifest = read(&made.folder, "manifest.json");
    assert_eq!(manifest.id(), made.release);
    assert!(made.folder.ends_with(made.release.as_str()));
    let paths: Vec<&str> = manifest.files.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(paths, ["doc/in.txt", "server", "static/style.css"]);
    let server = made.folder.join("content/server");
    assert_eq!(fs::read_to_string(&server).unwrap(), "one");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&server), 0o755, "others may run it");
    assert_eq!(mode(&made.folder), 0o755);
    assert_eq!(mode(&made.folder.join("content/static")), 0o755);
    assert_eq!(mode(&made.folder.join("content/static/style.css")), 0o644);
    let provenance: Provenance = read(&made.folder, "provenance.json");
    assert_eq!(provenance.commit, "unversioned");
    assert!(provenance.dirty && provenance.jobs[0].fresh);
    assert_eq!(provenance.run, told.report().run);
    assert!(matches!(
        told.events().as_slice(),
        [.., PipelineEvent::ReleaseMade { release, .. }, PipelineEvent::RunFinished { passed: true, .. }]
            if *release == made.release
    ));
    let beside = fs::read_dir(project.state().join("releases"))
        .unwrap()
        .count();
    assert_eq!(beside, 1, "nothing laid aside stays behind");
}

#[tokio::test]
async fn a_worker_role_makes_another_release_of_the_same_files() {
    let plain = project().run().await.releases.remove(0);
    let staffed = project_with("[service.shop.worker.mail]\nstart = [\"./server\", \"mail\"]\n");
    let made = staffed.run().await.releases.remove(0);
    let manifest: Manifest = read(&made.folder, "manifest.json");
    let worker = &manifest.workers[&"mail".parse().unwrap()];
    assert_eq!(worker.start, ["./server", "mail"]);
    assert_ne!(made.release, plain.release);
}

#[tokio::test]
async fn the_same_content_is_the_same_release() {
    let project = project();
    let one = project.run().await.releases.remove(0);
    let two = project.run().await.releases.remove(0);
    assert_eq!(
        (one.release.clone(), one.existed, two.existed),
        (two.release, false, true)
    );
    project.write("in.txt", "two");
    assert_ne!(project.run().await.releases.remove(0).release, one.release);
}

#[tokio::test]
async fn a_release_that_was_damaged_is_made_again() {
    let project = project();
    let made = project.run().await.releases.remove(0);
    let server = made.folder.join("content/server");
    fs::write(&server, "changed by somebody").unwrap();
    let again = project.run().await.releases.remove(0);
    assert_eq!(
        (again.release, again.existed),
        (made.release.clone(), false)
    );
    assert_eq!(fs::read_to_string(&server).unwrap(), "one");
    // What is refused when it is deployed must not be taken for made.
    let closed = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o644));
    closed(&server).unwrap();
    assert!(!project.run().await.releases.remove(0).existed);
    let manifest = made.folder.join("manifest.json");
    let other = fs::read_to_string(&manifest)
        .unwrap()
        .replace("serve", "sleep");
    fs::write(&manifest, other).unwrap();
    assert!(!project.run().await.releases.remove(0).existed);
    fs::write(made.folder.join("provenance.json"), "{").unwrap();
    assert!(!project.run().await.releases.remove(0).existed);
    assert!(project.run().await.releases.remove(0).existed);
}

#[tokio::test]
async fn a_required_gate_that_does_not_pass_keeps_the_release_back() {
    let project = project();
    project.write(
        "bad.txt",
        "running 1 test\ntest result: FAILED. 0 passed; 1 failed; 0 ignored",
    );
    let text = project.read("slipway.toml");
    let gate = "[report.tests]\njob = \"test\"\nformat = \"cargo-test\"\nleast = 1\n\
        [gate.tests]\nconditions = [\"tests.failed == 0\"]\nfixtures = { tests = \"bad.txt\" }\n";
    let test = shell("test", "cat bad.txt", "inputs = [\"bad.txt\"]");
    project.write("slipway.toml", &format!("{text}{test}{gate}"));
    let report = project.run().await;
    assert!(report.releases.is_empty() && !report.passed);
    assert_eq!(report.unmade, ["no release of shop: gate tests is not-met"]);
    let mut part = project;
    part.request.jobs = vec!["build".into()];
    let report = part.run().await;
    assert!(report.passed && report.releases.is_empty());
    assert_eq!(
        report.unmade,
        ["no release of shop: gate tests was not asked, because test was not part of this run"]
    );
}

#[tokio::test]
async fn the_commit_and_its_changes_are_known() {
    let project = project();
    project.write(".gitignore", "out\n");
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
            .args(arguments)
            .current_dir(project.path(""))
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    let message = "one\n\nCo-authored-by: Uma <Uma@Example.org>";
    git(&[
        "commit",
        "-q",
        "--author",
        "A <a@example.org>",
        "-m",
        message,
    ]);
    let commit = git(&["rev-parse", "HEAD"]);
    let report = project.run().await;
    assert_eq!(report.commit, commit);
    let provenance: Provenance = read(&report.releases[0].folder, "provenance.json");
    assert_eq!(
        (provenance.commit, provenance.dirty),
        (commit.clone(), false)
    );
    let names = |names: &[&str]| -> BTreeSet<String> {
        names
            .iter()
            .map(|name| format!("{name}@example.org"))
            .collect()
    };
    assert_eq!(provenance.authors, Some(names(&["a", "t", "uma"])));
    project.write("in.txt", "two");
    let report = project.run().await;
    assert_eq!(report.commit, format!("{commit}-dirty"));
    let dirty: Provenance = read(&report.releases[0].folder, "provenance.json");
    assert_eq!(dirty.authors, None, "nobody knows who wrote that");
    git(&[
        "commit",
        "-q",
        "--author",
        "B <b@example.org>",
        "-am",
        "two",
    ]);
    let newer = git(&["rev-parse", "HEAD"]);
    let (root, between) = (project.path(""), slipway_pipeline::authors_between);
    let wrote = between(&root, &commit, &newer).await;
    assert_eq!(wrote, Some(names(&["b", "t"])));
    assert_eq!(between(&root, &"0".repeat(40), &newer).await, None);
    assert_eq!(between(&root, "--all", &newer).await, None);
}

#[tokio::test]
async fn what_cannot_be_packed_is_named_and_not_waited_for() {
    for (make, said) in [
        ("mkfifo out/odd", "odd is neither a file nor a folder"),
        ("ln -sfn . out/odd", "odd is a link to a folder"),
    ] {
        let script = format!("mkdir -p out; cp in.txt out/server; {make}");
        let job = shell("build", &script, "cache = false");
        let project = Project::new(&format!("{job}{SERVICE}"));
        project.write("in.txt", "one");
        let error = project.told().await.result.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}
