//! `cargo xtask coverage`: which lines of some packages their tests ran, as LCOV. The tests
//! have run before, by `delivery/pipeline/test.sh`, and left their counters; this reads the
//! counters in pure Rust and never runs a test itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use clap::Args;
use llvm_profparser::{CoverageMapping, merge_profiles};
use serde::Deserialize;
use syn::spanned::Spanned as _;

/// What stands between cargo and rustc when the tests are built with counters.
const COUNTING: &str = "delivery/pipeline/count.sh";

/// What runs the tests and leaves the counters.
const TESTS: &str = "delivery/pipeline/test.sh";

/// What is measured.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The packages whose lines are counted, parted by commas
    #[arg(long, value_delimiter = ',', required = true)]
    packages: Vec<String>,
    /// Where the tests left their counters
    #[arg(long, default_value = "target/slipway/counters")]
    counters: PathBuf,
    /// Where the LCOV file is written
    #[arg(long, default_value = "target/coverage.info")]
    output: PathBuf,
}

/// What cargo says of one thing that it built.
#[derive(Debug, Deserialize)]
struct Artifact {
    executable: Option<PathBuf>,
    fresh: bool,
}

/// One line's count by its number.
type Lines = BTreeMap<usize, u64>;

pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let counters = counters(&root.join(&options.counters))?;
    let programs = programs(root, &options.packages)?;
    ensure!(!programs.is_empty(), "these packages have no test program");
    let files = read(root, &options.packages, &programs, &counters)?;
    for package in &options.packages {
        ensure!(
            ran(&files, package),
            "no line of {package} ran: these counters are of other programs; run `{TESTS}` again"
        );
    }
    let output = root.join(&options.output);
    if let Some(folder) = output.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    fs::write(&output, lcov(&files)).with_context(|| format!("writing {}", output.display()))?;
    eprint!("{}", table(&files));
    Ok(())
}

/// The files that the tests left.
fn counters(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let hint = || format!("no counters in {}: run `{TESTS}` first", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(hint)? {
        files.push(entry?.path());
    }
    ensure!(!files.is_empty(), hint());
    Ok(files)
}

/// The test programs with counters in our own packages: as the tests left them, or built anew.
fn programs(root: &Path, packages: &[String]) -> anyhow::Result<Vec<PathBuf>> {
    let output = crate::cargo::command()
        .args(["test", "--locked", "--lib", "--bins", "--tests", "--no-run"])
        .arg("--message-format=json-render-diagnostics")
        .args(packages.iter().flat_map(|name| ["--package", name]))
        .env("RUSTC_WORKSPACE_WRAPPER", root.join(COUNTING))
        // A build script is compiled like this, too, and its counters are nobody's.
        .env("LLVM_PROFILE_FILE", "/dev/null")
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("starting cargo")?;
    ensure!(
        output.status.success(),
        "building the tests: cargo ended with {}",
        output.status
    );
    let said = String::from_utf8(output.stdout).context("reading what cargo says")?;
    let mut programs = Vec::new();
    for line in said.lines() {
        let Ok(Artifact { executable, fresh }) = serde_json::from_str(line) else {
            continue;
        };
        if let Some(program) = executable {
            if !fresh {
                eprintln!("built anew, after the tests ran: {}", program.display());
            }
            programs.push(program);
        }
    }
    Ok(programs)
}

/// The counts of every source line of the packages, by file.
fn read(
    root: &Path,
    packages: &[String],
    programs: &[PathBuf],
    counters: &[PathBuf],
) -> anyhow::Result<BTreeMap<PathBuf, Lines>> {
    let profile = merge_profiles(counters).context("reading the counters")?;
    let report = CoverageMapping::new(programs, &profile, false)
        .and_then(|mapping| mapping.generate_report())
        .context("reading where the counters stand in the source")?;
    let mut files = BTreeMap::new();
    for (path, found) in report.files {
        let full = root.join(&path);
        let Ok(file) = full.strip_prefix(root) else {
            continue;
        };
        if !packages.iter().any(|name| is_of(file, name)) || is_for_tests(file) {
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

fn is_of(file: &Path, package: &str) -> bool {
    file.starts_with(Path::new("crates").join(package).join("src"))
}

/// Whether any line of the package ran. Counters of another build are found under no name.
fn ran(files: &BTreeMap<PathBuf, Lines>, package: &str) -> bool {
    let mut own = files.iter().filter(|(file, _)| is_of(file, package));
    own.any(|(_, lines)| lines.values().any(|count| *count > 0))
}

/// Modules for tests that have files of their own are called `tests` throughout.
fn is_for_tests(file: &Path) -> bool {
    file.iter()
        .any(|part| part == "tests" || part == "tests.rs")
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
    fn files_of_modules_for_tests_do_not_count() {
        assert!(is_for_tests(Path::new(
            "crates/a/src/pages/tests/gallery.rs"
        )));
        assert!(is_for_tests(Path::new("crates/a/src/pages/tests.rs")));
        assert!(!is_for_tests(Path::new("crates/a/src/contests.rs")));
    }

    #[test]
    fn a_package_of_which_nothing_ran_is_known() {
        let file = |name: &str| Path::new("crates").join(name).join("src/a.rs");
        let files = BTreeMap::from([
            (file("ran"), Lines::from([(1, 0), (2, 1)])),
            (file("slept"), Lines::from([(1, 0)])),
        ]);
        assert!(ran(&files, "ran"));
        assert!(!ran(&files, "slept") && !ran(&files, "missing"));
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
