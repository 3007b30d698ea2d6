//! What is made once is not made again, unless something changed that can change it; and
//! what is given back is exactly what was made.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::ground::{Project, result, shell};
use slipway_journal::event::pipeline::JobResult::{Cached, NotStarted, Passed};

/// Counts its runs in `count`, copies its input to its output.
fn copying() -> Project {
    let script = "echo run >> ../count; mkdir -p out/deep; cp in.txt out/deep/copy; \
                  chmod +x out/deep/copy; echo copied";
    let more = "inputs = [\"in.txt\"]\noutputs = [\"out\"]\nenv = [\"FLAVOUR\"]";
    let project = Project::new(&shell("copy", script, more));
    project.write("in.txt", "one");
    project
}

fn runs(project: &Project) -> usize {
    let count = fs::read_to_string(project.beside("count"));
    count.unwrap_or_default().lines().count()
}

#[tokio::test]
async fn a_result_comes_from_the_cache_until_an_input_changes() {
    let project = copying();
    assert_eq!(result(&project.run().await, "copy"), &Passed);
    assert_eq!(result(&project.run().await, "copy"), &Cached);
    project.write("in.txt", "two");
    assert_eq!(result(&project.run().await, "copy"), &Passed);
    assert_eq!(project.read("out/deep/copy"), "two");
    project.write("in.txt", "one");
    let report = project.run().await;
    assert_eq!(result(&report, "copy"), &Cached);
    assert_eq!(project.read("out/deep/copy"), "one", "given back");
    assert_eq!(runs(&project), 2);
}

#[tokio::test]
async fn outputs_are_given_back_whole_and_nothing_beside_them() {
    let project = copying();
    project.run().await;
    fs::remove_dir_all(project.path("out")).unwrap();
    project.write("out/stray", "left by somebody");
    assert_eq!(result(&project.run().await, "copy"), &Cached);
    assert!(!project.path("out/stray").exists());
    let copy = project.path("out/deep/copy");
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o111, 0o111);
    let names = fs::read_dir(project.path("out/deep")).unwrap().count();
    assert_eq!(names, 1, "nothing laid aside stays behind");
}

#[tokio::test]
async fn a_variable_that_is_absent_differs_from_one_that_is_empty() {
    let mut project = copying();
    project.run().await;
    project.variables.insert("FLAVOUR".into(), String::new());
    assert_eq!(result(&project.run().await, "copy"), &Passed);
    project.variables.insert("FLAVOUR".into(), "sweet".into());
    assert_eq!(result(&project.run().await, "copy"), &Passed);
    project.variables.remove("FLAVOUR");
    assert_eq!(result(&project.run().await, "copy"), &Cached);
}

#[tokio::test]
async fn the_mode_of_an_input_counts_and_its_time_does_not() {
    let project = copying();
    project.run().await;
    let input = fs::File::options().write(true).open(project.path("in.txt"));
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    input.unwrap().set_modified(long_ago).unwrap();
    assert_eq!(result(&project.run().await, "copy"), &Cached);
    let path = project.path("in.txt");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(result(&project.run().await, "copy"), &Passed);
}

#[tokio::test]
async fn failure_is_never_kept() {
    let script = "echo run >> ../count; exit 3";
    let project = Project::new(&shell("bad", script, "inputs = [\"slipway.toml\"]"));
    for _ in 0..2 {
        let report = project.run().await;
        assert!(matches!(
            result(&report, "bad"),
            slipway_journal::event::pipeline::JobResult::Failed { code: 3 }
        ));
    }
    assert_eq!(runs(&project), 2);
}

#[tokio::test]
async fn a_need_that_changed_changes_what_builds_on_it() {
    let project = Project::new(&format!(
        "{}{}",
        shell("one", "true", "inputs = [\"one.txt\"]"),
        shell("two", "true", "inputs = [\"two.txt\"]\nneeds = [\"one\"]")
    ));
    project.write("one.txt", "1");
    project.write("two.txt", "1");
    project.run().await;
    project.write("one.txt", "2");
    let report = project.run().await;
    assert_eq!(result(&report, "two"), &Passed);
    project.write("two.txt", "2");
    let report = project.run().await;
    assert_eq!(
        (result(&report, "one"), result(&report, "two")),
        (&Cached, &Passed)
    );
}

#[tokio::test]
async fn what_a_link_leads_to_is_an_input_too() {
    let project = Project::new(&shell("read", "cat link.txt", "inputs = [\"link.txt\"]"));
    project.write("elsewhere/real.txt", "one");
    std::os::unix::fs::symlink("elsewhere/real.txt", project.path("link.txt")).unwrap();
    assert_eq!(result(&project.run().await, "read"), &Passed);
    assert_eq!(result(&project.run().await, "read"), &Cached);
    project.write("elsewhere/real.txt", "two");
    assert_eq!(result(&project.run().await, "read"), &Passed);
    let script = "cat link.txt; echo three > elsewhere/real.txt";
    project.define(&shell("read", script, "inputs = [\"link.txt\"]"));
    let report = project.run().await;
    assert_eq!(
        report.jobs[0].notes,
        ["not kept: the input link.txt changed while it ran"]
    );
}

#[tokio::test]
async fn a_link_to_a_folder_is_no_input() {
    let project = Project::new(&shell("read", "true", "inputs = [\"src/**\"]"));
    project.write("src/a.txt", "1");
    project.write("elsewhere/b.txt", "1");
    std::os::unix::fs::symlink("../elsewhere", project.path("src/linked")).unwrap();
    let report = project.run().await;
    let NotStarted { reason } = result(&report, "read") else {
        panic!("{report:?}");
    };
    assert!(reason.contains("src/linked"), "{reason}");
    let left_out = "inputs = [\"src/**\", \"!src/linked\"]";
    project.define(&shell("read", "true", left_out));
    assert_eq!(result(&project.run().await, "read"), &Passed);
}

#[tokio::test]
async fn what_was_given_back_is_an_input_of_the_next_job() {
    let make = shell(
        "make",
        "mkdir -p gen; cp in.txt gen/made.txt",
        "inputs = [\"in.txt\"]\noutputs = [\"gen\"]",
    );
    let read = shell(
        "read",
        "cat gen/made.txt",
        "needs = [\"make\"]\ninputs = [\"gen/**\"]",
    );
    let project = Project::new(&format!("{make}{read}"));
    project.write("in.txt", "one");
    assert!(project.run().await.passed);
    fs::remove_dir_all(project.path("gen")).unwrap();
    let report = project.run().await;
    assert_eq!(
        (result(&report, "make"), result(&report, "read")),
        (&Cached, &Cached)
    );
}

#[tokio::test]
async fn an_empty_folder_is_given_back() {
    let more = "inputs = [\"in.txt\"]\noutputs = [\"out\"]";
    let project = Project::new(&shell("make", "mkdir -p out/empty", more));
    project.write("in.txt", "one");
    project.run().await;
    fs::remove_dir_all(project.path("out")).unwrap();
    assert_eq!(result(&project.run().await, "make"), &Cached);
    assert!(project.path("out/empty").is_dir());
}

#[tokio::test]
async fn what_a_job_makes_is_never_what_it_reads() {
    let more = "inputs = [\"**\"]\noutputs = [\"out\"]";
    let project = Project::new(&shell("make", "mkdir -p out; date +%N > out/now", more));
    project.write("in.txt", "one");
    assert_eq!(result(&project.run().await, "make"), &Passed);
    assert_eq!(result(&project.run().await, "make"), &Cached);
}

#[tokio::test]
async fn an_input_that_changes_and_changes_back_while_the_job_runs_keeps_nothing() {
    let script = "echo two > in.txt; echo one > in.txt";
    let project = Project::new(&shell("self", script, "inputs = [\"in.txt\"]"));
    project.write("in.txt", "one\n");
    // Some file systems count time in steps longer than a job.
    let file = fs::File::options().write(true).open(project.path("in.txt"));
    let before = std::time::SystemTime::UNIX_EPOCH;
    file.unwrap().set_modified(before).unwrap();
    assert_eq!(
        project.run().await.jobs[0].notes,
        ["not kept: the input in.txt changed while it ran"]
    );
}

#[tokio::test]
async fn an_input_that_comes_or_goes_while_the_job_runs_keeps_nothing() {
    for (script, note) in [
        (
            "echo new > src/new.txt",
            "not kept: the input src/new.txt came while it ran",
        ),
        (
            "rm src/old.txt",
            "not kept: the input src/old.txt went while it ran",
        ),
    ] {
        let project = Project::new(&shell("self", script, "inputs = [\"src/**\"]"));
        project.write("src/one.txt", "1");
        project.write("src/old.txt", "1");
        assert_eq!(project.run().await.jobs[0].notes, [note]);
    }
}

#[tokio::test]
async fn an_input_that_changes_while_the_job_runs_keeps_nothing() {
    let script = "echo two > in.txt";
    let project = Project::new(&shell("self", script, "inputs = [\"in.txt\"]"));
    project.write("in.txt", "one");
    let report = project.run().await;
    assert_eq!(
        report.jobs[0].notes,
        ["not kept: the input in.txt changed while it ran"]
    );
    project.write("in.txt", "one");
    assert_eq!(result(&project.run().await, "self"), &Passed);
}

/// Every file below a folder.
fn files(folder: PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}

#[tokio::test]
async fn damage_in_the_cache_is_found_and_the_job_runs_again() {
    for part in ["entries", "objects"] {
        let project = copying();
        project.run().await;
        for file in files(project.state().join("cache").join(part)) {
            let mut bytes = fs::read(&file).unwrap();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            fs::write(&file, bytes).unwrap();
        }
        fs::remove_dir_all(project.path("out")).unwrap();
        let report = project.run().await;
        assert_eq!(result(&report, "copy"), &Passed, "{part}");
        assert_eq!(project.read("out/deep/copy"), "one");
        // What was damaged is whole again.
        fs::remove_dir_all(project.path("out")).unwrap();
        assert_eq!(result(&project.run().await, "copy"), &Cached, "{part}");
    }
}

#[tokio::test]
async fn an_entry_cut_off_in_the_middle_is_no_entry() {
    let project = copying();
    project.run().await;
    for file in files(project.state().join("cache/entries")) {
        fs::write(&file, "half").unwrap();
    }
    assert_eq!(result(&project.run().await, "copy"), &Passed);
}

#[tokio::test]
async fn who_is_not_trusted_is_not_read() {
    let mut project = copying();
    project.run().await;
    // The project is in no repository, so its entries are of the least trusted tier.
    project.request.trust = slipway_pipeline::Tier::LocalClean;
    assert_eq!(result(&project.run().await, "copy"), &Passed);
}

#[tokio::test]
async fn without_the_cache_everything_runs() {
    let mut project = copying();
    project.run().await;
    project.request.use_cache = false;
    assert_eq!(result(&project.run().await, "copy"), &Passed);
}

#[tokio::test]
async fn a_toolchain_that_changes_or_is_silent_is_noticed() {
    let project = copying();
    let job = fs::read_to_string(project.path("slipway.toml")).unwrap();
    let with = job.replace(
        "name = \"sample\"",
        "name = \"sample\"\ntoolchain = [\"/bin/cat version\"]",
    );
    project.write("slipway.toml", &with);
    project.write("version", "1");
    project.run().await;
    assert_eq!(result(&project.run().await, "copy"), &Cached);
    project.write("version", "2");
    assert_eq!(result(&project.run().await, "copy"), &Passed);
    fs::remove_file(project.path("version")).unwrap();
    assert_eq!(result(&project.run().await, "copy"), &Passed);
    assert_eq!(
        result(&project.run().await, "copy"),
        &Passed,
        "nothing was kept"
    );
}

#[tokio::test]
async fn an_input_that_matches_nothing_is_refused() {
    let project = Project::new(&shell("a", "true", "inputs = [\"src/**\"]"));
    let report = project.run().await;
    let NotStarted { reason } = result(&report, "a") else {
        panic!("{report:?}");
    };
    assert_eq!(reason, "the input \"src/**\" matches no file");
}

#[tokio::test]
async fn inputs_that_are_all_left_out_again_are_refused() {
    let more = "inputs = [\"src/**\", \"!src/*.txt\"]";
    let project = Project::new(&shell("a", "true", more));
    project.write("src/one.txt", "1");
    let report = project.run().await;
    assert!(
        matches!(result(&report, "a"), NotStarted { .. }),
        "{report:?}"
    );
}

#[tokio::test]
async fn why_names_what_changed() {
    let project = copying();
    project.write("other.txt", "1");
    project.run().await;
    let (live, _taken) = tokio::sync::mpsc::channel(1);
    let ground = project.ground(live);
    let why = slipway_pipeline::why(&project.definition(), &ground, "copy")
        .await
        .unwrap();
    assert!(why.is_cached && why.since_last == Some(Vec::new()));
    project.write("in.txt", "two");
    let text = project
        .read("slipway.toml")
        .replace("echo copied", "echo done");
    project.write("slipway.toml", &text);
    let why = slipway_pipeline::why(&project.definition(), &ground, "copy")
        .await
        .unwrap();
    assert!(!why.is_cached);
    let changes: Vec<String> = why
        .since_last
        .unwrap()
        .iter()
        .map(|d| {
            format!(
                "{} {} {}",
                d.kind,
                d.name.split(' ').next().unwrap(),
                d.change
            )
        })
        .collect();
    assert_eq!(changes, ["argument 3 changed", "input in.txt changed"]);
}
