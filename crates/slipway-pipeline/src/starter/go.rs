//! A program in Go: the main package that is meant, built into one file.

use std::path::Path;

use super::draft::{Draft, DraftFile};
use super::procfile;
use super::{Folder, Kind, Unseen, Wishes};

/// Folders of data that a program may read beside itself.
const DATA: [&str; 6] = [
    "assets",
    "migrations",
    "public",
    "static",
    "templates",
    "web",
];

/// The draft of a folder with a `go.mod` and a main package.
pub(super) fn draft(folder: &Folder, wishes: &Wishes) -> Result<Option<Draft>, Unseen> {
    let Some(text) = folder.text("go.mod") else {
        return Ok(None);
    };
    let module = text
        .lines()
        .find_map(|line| line.strip_prefix("module "))
        .map(str::trim);
    let name = wishes
        .service
        .as_ref()
        .map(|service| service.as_str().to_owned());
    let name = name.or_else(|| module?.rsplit('/').next().map(str::to_owned));
    let Some(package) = program(&mains(folder), name.as_deref())? else {
        return Ok(None);
    };
    let mut draft = Draft::new(Kind::Go);
    draft.name = match package.rsplit_once('/') {
        Some((_, last)) => Some(last.to_owned()),
        None => name,
    };
    let binary = draft.service_name(folder);
    let target = if package.is_empty() {
        ".".to_owned()
    } else {
        format!("./{package}")
    };
    let out = format!("out/{binary}");
    draft.toolchain.push("go version");
    draft.pass.extend([
        "HOME",
        "GOPATH",
        "GOCACHE",
        "GOMODCACHE",
        "GOFLAGS",
        "GOPROXY",
    ]);
    if folder.paths().any(|path| path.ends_with("_test.go")) {
        draft.fact("tested by", "go test ./...", "files that end with _test.go");
        draft.job("test", &["go", "test", "./..."], folder.inputs());
    }
    draft.fact(
        "built by",
        format!("go build {target}"),
        format!("go.mod, {target} is package main"),
    );
    draft
        .job(
            "build",
            &["go", "build", "-trimpath", "-o", &out, &target],
            folder.inputs(),
        )
        .outputs = vec![out.clone()];
    if !procfile::has_web(folder) {
        draft.fact("starts as", format!("./{binary}"), "what is built");
    }
    draft.start = vec![format!("./{binary}")];
    draft.files.push(DraftFile {
        from: out,
        to: binary.to_string(),
    });
    let top = folder.top();
    let data = DATA
        .iter()
        .filter(|name| top.contains(**name) && !is_code(folder, name));
    draft.pack(data.map(|name| (*name).to_owned()));
    Ok(Some(draft))
}

/// The folders with a main package, without slashes at their ends.
fn mains(folder: &Folder) -> Vec<String> {
    let is_main = |path: &&str| {
        is_go(path)
            && !path.ends_with("_test.go")
            && folder.text(path).is_some_and(|text| {
                text.lines().any(|line| line.trim_end() == "package main")
                    && text.contains("func main()")
            })
    };
    let folders = folder
        .paths()
        .filter(is_main)
        .map(|path| match path.rsplit_once('/') {
            Some((folder, _)) => folder.to_owned(),
            None => String::new(),
        });
    let mut folders: Vec<String> = folders.collect();
    folders.dedup();
    folders
}

/// The one that is meant: the only one, the topmost, or that of the name.
fn program(mains: &[String], name: Option<&str>) -> Result<Option<String>, Unseen> {
    let named = mains.iter().find(|main| main.rsplit('/').next() == name);
    match mains {
        [] => Ok(None),
        [only] => Ok(Some(only.clone())),
        [first, ..] if first.is_empty() => Ok(Some(first.clone())),
        several => match named {
            Some(named) => Ok(Some(named.clone())),
            None => Err(Unseen::Several(several.to_vec())),
        },
    }
}

fn is_code(folder: &Folder, name: &str) -> bool {
    let inside = format!("{name}/");
    folder
        .paths()
        .any(|path| path.starts_with(&inside) && is_go(path))
}

fn is_go(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|end| end == "go")
}
