//! An application for Node: what `package.json` starts, builds and tests, with the packages
//! that its lock file names.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::command::{self, Line};
use super::draft::Draft;
use super::procfile;
use super::{Folder, Kind, Unseen, Wishes};

/// The part of `package.json` that is looked at.
#[derive(Debug, Default, Deserialize)]
struct Package {
    name: Option<String>,
    main: Option<String>,
    #[serde(default)]
    scripts: BTreeMap<String, String>,
    #[serde(default)]
    dependencies: BTreeMap<String, serde_json::Value>,
    #[serde(default, rename = "devDependencies")]
    dev_dependencies: BTreeMap<String, serde_json::Value>,
}

/// The part of `tsconfig.json` that is looked at.
#[derive(Debug, Deserialize)]
struct Typescript {
    #[serde(rename = "compilerOptions")]
    options: TypescriptOptions,
}

#[derive(Debug, Deserialize)]
struct TypescriptOptions {
    #[serde(rename = "outDir")]
    out: Option<String>,
}

/// A program that installs packages, the file that it locks them in, and how it installs
/// exactly those.
struct Installer {
    lock: &'static str,
    program: &'static str,
    install: &'static [&'static str],
    version: &'static str,
}

const INSTALLERS: [Installer; 4] = [
    Installer {
        lock: "package-lock.json",
        program: "npm",
        install: &["npm", "ci"],
        version: "npm --version",
    },
    Installer {
        lock: "pnpm-lock.yaml",
        program: "pnpm",
        install: &["pnpm", "install", "--frozen-lockfile"],
        version: "pnpm --version",
    },
    Installer {
        lock: "yarn.lock",
        program: "yarn",
        install: &["yarn", "install", "--frozen-lockfile"],
        version: "yarn --version",
    },
    Installer {
        lock: "npm-shrinkwrap.json",
        program: "npm",
        install: &["npm", "ci"],
        version: "npm --version",
    },
];
const UNLOCKED: Installer = Installer {
    lock: "package.json",
    program: "npm",
    install: &["npm", "install"],
    version: "npm --version",
};

/// The draft of a folder with a `package.json`; none where that starts nothing.
pub(super) fn draft(folder: &Folder, wishes: &Wishes) -> Result<Option<Draft>, Unseen> {
    let Some(text) = folder.text("package.json") else {
        return Ok(None);
    };
    let package: Package = serde_json::from_str(text).map_err(|error| Unseen::Unreadable {
        file: "package.json".to_owned(),
        why: error.to_string(),
    })?;
    let mut draft = Draft::new(Kind::Node);
    draft.name.clone_from(&package.name);
    let elsewhere = wishes.start.is_some() || procfile::has_web(folder);
    let Some(start) = start(folder, &package, &mut draft) else {
        if !elsewhere {
            return Ok(None);
        }
        jobs(folder, &package, None, &mut draft);
        return Ok(Some(draft));
    };
    draft.start = match start {
        Line::Words(words) if !elsewhere => started(folder, &package, words)?,
        line => line.words(),
    };
    let entry = draft.start.iter().find(|word| folder.has(word)).cloned();
    jobs(folder, &package, entry, &mut draft);
    Ok(Some(draft))
}

/// The command that serves, and where it was seen.
fn start(folder: &Folder, package: &Package, draft: &mut Draft) -> Option<Line> {
    if let Some(line) = package.scripts.get("start") {
        draft.fact("starts as", line.clone(), "package.json, scripts.start");
        return Some(command::of(line));
    }
    let main = package.main.iter().map(String::as_str);
    let usual = ["server.js", "server.mjs", "app.js", "index.js", "index.mjs"];
    let file = main
        .chain(usual)
        .map(|file| file.trim_start_matches("./"))
        .find(|file| folder.has(file) && folder.names_port(file))?;
    draft.guess(
        "starts as",
        format!("node {file}"),
        "there is no scripts.start in package.json",
    );
    Some(Line::Words(vec!["node".to_owned(), file.to_owned()]))
}

/// A program of a package is started by its file: `npm` and links do not come along.
fn started(folder: &Folder, package: &Package, words: Vec<String>) -> Result<Vec<String>, Unseen> {
    let at = usize::from(words.first().is_some_and(|word| word == "env"));
    let at = at
        + words
            .iter()
            .skip(at)
            .take_while(|word| at > 0 && word.contains('='))
            .count();
    let Some(program) = words.get(at) else {
        return Ok(words);
    };
    if let Some(file) = folder.program(program) {
        let mut started: Vec<String> = words.iter().take(at).cloned().collect();
        started.extend(["node".to_owned(), file.to_owned()]);
        started.extend(words.iter().skip(at + 1).cloned());
        return Ok(started);
    }
    let of_a_package = package.dependencies.contains_key(program.as_str())
        || package.dev_dependencies.contains_key(program.as_str());
    if of_a_package && !folder.has_packages() {
        return Err(Unseen::NotInstalled {
            program: program.clone(),
        });
    }
    Ok(words)
}

fn jobs(folder: &Folder, package: &Package, entry: Option<String>, draft: &mut Draft) {
    draft.toolchain.push("node --version");
    draft.pass.push("HOME");
    let installer = INSTALLERS
        .iter()
        .find(|installer| folder.has(installer.lock));
    let program = installer.map_or("npm", |installer| installer.program);
    draft.pack(folder.to_pack());
    if !package.dependencies.is_empty() || !package.dev_dependencies.is_empty() {
        install(installer, draft);
    }
    if let Some(line) = package.scripts.get("build") {
        build(folder, package, program, line, draft);
    }
    let test = package
        .scripts
        .get("test")
        .filter(|line| !line.contains("no test specified"));
    if let Some(line) = test {
        draft.fact("tested by", line.clone(), "package.json, scripts.test");
        draft.job("test", &[program, "test"], folder.inputs());
    }
    if draft.jobs.is_empty()
        && let Some(entry) = entry
    {
        draft.guess(
            "checked by",
            format!("node --check {entry}"),
            "there is no scripts.test in package.json",
        );
        draft.job("check", &["node", "--check", &entry], folder.inputs());
    }
    if draft.jobs.is_empty() {
        draft.job("check", &["node", "--version"], folder.inputs());
    }
}

fn install(installer: Option<&Installer>, draft: &mut Draft) {
    let words = |installer: &Installer| installer.install.join(" ");
    match installer {
        Some(seen) => draft.fact("packages", words(seen), seen.lock),
        None => draft.guess(
            "packages",
            words(&UNLOCKED),
            "no lock file: every build may get other versions",
        ),
    }
    let installer = installer.unwrap_or(&UNLOCKED);
    draft.toolchain.push(installer.version);
    let mut inputs = vec!["package.json".to_owned()];
    if installer.lock != "package.json" {
        inputs.push(installer.lock.to_owned());
    }
    draft.job("install", installer.install, inputs).outputs = vec!["node_modules".to_owned()];
    draft.pack(["node_modules".to_owned()]);
}

fn build(folder: &Folder, package: &Package, program: &str, line: &str, draft: &mut Draft) {
    let (output, whence) = output(folder, package, draft);
    draft.fact("built by", line, "package.json, scripts.build");
    draft.guess("built into", output.clone(), whence);
    let mut inputs = folder.inputs();
    inputs.retain(|input| *input != output);
    draft
        .job("build", &[program, "run", "build"], inputs)
        .outputs = vec![output.clone()];
    draft.pack([output]);
}

/// The folder that the build makes.
fn output(folder: &Folder, package: &Package, draft: &Draft) -> (String, String) {
    let plain = |path: &str| {
        path.trim_start_matches("./")
            .trim_end_matches('/')
            .to_owned()
    };
    let typescript = folder
        .text("tsconfig.json")
        .and_then(|text| serde_json::from_str::<Typescript>(text).ok());
    if let Some(out) = typescript.and_then(|config| config.options.out) {
        return (plain(&out), "tsconfig.json, outDir".to_owned());
    }
    let uses = |name: &str| {
        package.dependencies.contains_key(name) || package.dev_dependencies.contains_key(name)
    };
    for (name, output) in [
        ("next", ".next"),
        ("nuxt", ".output"),
        ("@sveltejs/kit", "build"),
        ("vite", "dist"),
    ] {
        if uses(name) {
            return (output.to_owned(), format!("{name} builds there"));
        }
    }
    let top = folder.top();
    let started = draft.start.iter().filter_map(|word| {
        plain(word)
            .split_once('/')
            .map(|(first, _)| first.to_owned())
    });
    let mut made = started.filter(|first| first != "node_modules" && !top.contains(first.as_str()));
    match made.next() {
        Some(first) => (
            first,
            "it is started from there, and is not among the sources".to_owned(),
        ),
        None => ("dist".to_owned(), "where most builds go".to_owned()),
    }
}
