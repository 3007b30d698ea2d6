//! `cargo xtask coverage`: which lines of some packages their tests run, as LCOV. This
//! program stands between cargo and rustc, so that only our own packages are compiled with
//! counters and every library is used as it was built; the counters are read in pure Rust.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, bail, ensure};
use chassis::Env;
use clap::Args;
use llvm_profparser::{CoverageMapping, merge_profiles};
use serde::Deserialize;
use syn::spanned::Spanned as _;

/// Set for cargo, and by it for us when we are to be the compiler.
const STAND_IN: &str = "XTASK_COVERAGE";

/// What is measured.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The packages, parted by commas; only their own tests count
    #[arg(long, value_delimiter = ',', required = true)]
    packages: Vec<String>,
    /// Where the LCOV file is written
    #[arg(long, default_value = "target/coverage.info")]
    output: PathBuf,
}

/// What cargo says of one thing that it built.
#[derive(Debug, Deserialize)]
struct Artifact {
    executable: Option<PathBuf>,
    manifest_path: Option<PathBuf>,
}

/// A test program, and the folder of its package.
#[derive(Debug)]
struct Program {
    file: PathBuf,
    folder: PathBuf,
}

/// One line's count by its number.
type Lines = BTreeMap<usize, u64>;

/// When cargo calls us in the place of the compiler: compiles with counters, and gives
/// nothing back but an error.
pub(crate) fn as_compiler(env: &Env) -> Option<ExitCode> {
    env.get(STAND_IN)?;
    let mut words = std::env::args_os().skip(1);
    let compiler = words.next()?;
    let error = Command::new(compiler)
        .args(words)
        .args(["-C", "instrument-coverage"])
        .exec();
    eprintln!("the compiler cannot be started: {error}");
    Some(ExitCode::FAILURE)
}

pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let counters = tempfile::tempdir().context("making a folder for the counters")?;
    let programs = build(root, &options.packages)?;
    ensure!(!programs.is_empty(), "these packages have no test program");
    for program in &programs {
        test(program, counters.path())?;
    }
    let files = read(root, &options.packages, &programs, counters.path())?;
    ensure!(!files.is_empty(), "no line of these packages was measured");
    let output = root.join(&options.output);
    if let Some(folder) = output.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    fs::write(&output, lcov(&files)).with_context(|| format!("writing {}", output.display()))?;
    eprint!("{}", table(&files));
    Ok(())
}

/// Builds the test programs with counters in our own packages.
fn build(root: &Path, packages: &[String]) -> anyhow::Result<Vec<Program>> {
    let own = std::env::current_exe().context("finding this program's own file")?;
    let mut cargo = Command::new("cargo");
    cargo
        .args(["test", "--locked", "--lib", "--bins", "--tests", "--no-run"])
        .arg("--message-format=json-render-diagnostics")
        .args(packages.iter().flat_map(|name| ["--package", name]))
        .env("RUSTC_WORKSPACE_WRAPPER", own)
        .env(STAND_IN, "1")
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = cargo.spawn().context("starting cargo")?;
    let said = child.stdout.take().context("cargo's output is piped")?;
    let mut programs = Vec::new();
    for line in BufReader::new(said).lines() {
        let line = line.context("reading what cargo says")?;
        let Ok(artifact) = serde_json::from_str::<Artifact>(&line) else {
            continue;
        };
        if let (Some(file), Some(manifest)) = (artifact.executable, artifact.manifest_path) {
            let folder = manifest.parent().unwrap_or(root).to_owned();
            programs.push(Program { file, folder });
        }
    }
    let status = child.wait().context("waiting for cargo")?;
    ensure!(
        status.success(),
        "building the tests: cargo ended with {status}"
    );
    Ok(programs)
}

/// Runs one test program; its counters go into `folder`.
fn test(program: &Program, folder: &Path) -> anyhow::Result<()> {
    let status = Command::new(&program.file)
        .arg("--quiet")
        .env("LLVM_PROFILE_FILE", folder.join("%p-%m.profraw"))
        .current_dir(&program.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("starting {}", program.file.display()))?;
    if !status.success() {
        bail!("{} ended with {status}", program.file.display());
    }
    Ok(())
}

/// The counts of every source line of the packages, by file.
fn read(
    root: &Path,
    packages: &[String],
    programs: &[Program],
    counters: &Path,
) -> anyhow::Result<BTreeMap<PathBuf, Lines>> {
    let mut profiles = Vec::new();
    for entry in fs::read_dir(counters)? {
        profiles.push(entry?.path());
    }
    ensure!(!profiles.is_empty(), "the tests wrote no counters");
    let profile = merge_profiles(&profiles).context("reading the counters")?;
    let objects: Vec<PathBuf> = programs.iter().map(|p| p.file.clone()).collect();
    let report = CoverageMapping::new(&objects, &profile, false)
        .and_then(|mapping| mapping.generate_report())
        .context("reading where the counters stand in the source")?;
    let mut files = BTreeMap::new();
    for (path, found) in report.files {
        let full = root.join(&path);
        let Ok(file) = full.strip_prefix(root) else {
            continue;
        };
        let is_ours = |name: &String| file.starts_with(Path::new("crates").join(name).join("src"));
        if !packages.iter().any(is_ours) {
            continue;
        }
        let regions: Vec<Region> = found
            .hits
            .iter()
            .map(|(place, count)| Region {
                from: (place.line_start, place.column_start),
                to: (place.line_end, place.column_end),
                // A difference of two counters that the library let go below nothing.
                count: i64::try_from(*count).map_or(0, i64::unsigned_abs),
            })
            .collect();
        let text =
            fs::read_to_string(&full).with_context(|| format!("reading {}", file.display()))?;
        let tests = test_lines(&text)?;
        let mut lines = lines(&regions);
        lines.retain(|line, _| !tests.iter().any(|range| range.contains(line)));
        if !lines.is_empty() {
            files.insert(file.to_owned(), lines);
        }
    }
    Ok(files)
}

/// A stretch of source that has a count of its own.
#[derive(Debug, Clone, Copy)]
struct Region {
    from: (usize, usize),
    to: (usize, usize),
    count: u64,
}

/// A line counts as often as the busiest stretch that begins on it; where none does, as the
/// innermost stretch around it.
fn lines(regions: &[Region]) -> Lines {
    let mut lines = Lines::new();
    let last = regions.iter().map(|r| r.to.0).max().unwrap_or(0);
    for line in 1..=last {
        let begins = regions
            .iter()
            .filter(|r| r.from.0 == line)
            .map(|r| r.count)
            .max();
        let around = || {
            regions
                .iter()
                .filter(|r| r.from.0 < line && line <= r.to.0)
                .max_by_key(|r| (r.from, std::cmp::Reverse(r.to)))
                .map(|r| r.count)
        };
        if let Some(count) = begins.or_else(around) {
            lines.insert(line, count);
        }
    }
    lines
}

/// The lines of modules that exist for tests only; they would flatter the figure.
fn test_lines(text: &str) -> anyhow::Result<Vec<std::ops::RangeInclusive<usize>>> {
    let parsed = syn::parse_file(text).context("reading the source")?;
    let is_for_tests = |attribute: &syn::Attribute| match &attribute.meta {
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    };
    let modules = parsed.items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) if module.attrs.iter().any(is_for_tests) => Some(module.span()),
        _ => None,
    });
    Ok(modules
        .map(|span| span.start().line..=span.end().line)
        .collect())
}

fn lcov(files: &BTreeMap<PathBuf, Lines>) -> String {
    let records = files.iter().map(|(file, lines)| {
        let counts: Vec<String> = lines
            .iter()
            .map(|(line, count)| format!("DA:{line},{count}\n"))
            .collect();
        let (all, hit) = sums(lines);
        format!(
            "SF:{}\n{}LF:{all}\nLH:{hit}\nend_of_record\n",
            file.display(),
            counts.concat()
        )
    });
    let records: Vec<String> = records.collect();
    format!("TN:\n{}", records.concat())
}

fn sums(lines: &Lines) -> (usize, usize) {
    (
        lines.len(),
        lines.values().filter(|count| **count > 0).count(),
    )
}

/// Files with their shares, and the share of all.
fn table(files: &BTreeMap<PathBuf, Lines>) -> String {
    let mut text = String::new();
    let (mut all, mut hit) = (0, 0);
    for (file, lines) in files {
        let own = sums(lines);
        text.push_str(&row(&file.display().to_string(), own));
        all += own.0;
        hit += own.1;
    }
    text.push_str(&row("all", (all, hit)));
    text
}

#[expect(clippy::cast_precision_loss, reason = "no file has 2^52 lines")]
fn row(name: &str, (all, hit): (usize, usize)) -> String {
    let share = hit as f64 * 100.0 / all.max(1) as f64;
    format!("{name:<48} {hit:>5} of {all:>5} lines {share:>6.1} %\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(from: (usize, usize), to: (usize, usize), count: u64) -> Region {
        Region { from, to, count }
    }

    #[test]
    fn a_line_counts_as_its_busiest_beginning_or_as_what_is_around_it() {
        let regions = [
            region((1, 1), (5, 2), 7),
            region((2, 5), (4, 6), 0),
            region((5, 1), (5, 2), 7),
        ];
        let lines = lines(&regions);
        assert_eq!(lines, Lines::from([(1, 7), (2, 0), (3, 0), (4, 0), (5, 7)]));
    }

    #[test]
    fn modules_for_tests_do_not_count() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
        assert_eq!(test_lines(text).unwrap(), [2..=5]);
    }

    #[test]
    fn the_file_says_which_lines_ran_and_which_did_not() {
        let files = BTreeMap::from([(PathBuf::from("a.rs"), Lines::from([(1, 3), (2, 0)]))]);
        assert_eq!(
            lcov(&files),
            "TN:\nSF:a.rs\nDA:1,3\nDA:2,0\nLF:2\nLH:1\nend_of_record\n"
        );
    }
}
