//! A program in Rust: the binary that is meant, of a package or of a workspace.

use serde::Deserialize;

use super::draft::{Draft, DraftFile};
use super::procfile;
use super::{Folder, Kind, Unseen, Wishes};

/// The part of `Cargo.toml` that is looked at.
#[derive(Debug, Deserialize)]
struct Manifest {
    package: Option<Package>,
    #[serde(default)]
    bin: Vec<Binary>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Binary {
    name: String,
}

/// A program, and the package that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Program {
    package: String,
    binary: String,
}

/// The draft of a folder with a `Cargo.toml` and a binary.
pub(super) fn draft(folder: &Folder, wishes: &Wishes) -> Result<Option<Draft>, Unseen> {
    if !folder.has("Cargo.toml") {
        return Ok(None);
    }
    let Some(program) = program(&programs(folder)?, wishes)? else {
        return Ok(None);
    };
    let mut draft = Draft::new(Kind::Rust);
    draft.name = Some(program.binary.clone());
    draft.toolchain.extend(["rustc -Vv", "cargo -V"]);
    draft.pass.extend(["HOME", "CARGO_HOME", "RUSTUP_HOME"]);
    let is_locked = folder.has("Cargo.lock");
    let locked: &[&str] = if is_locked { &["--locked"] } else { &[] };
    let of = ["-p", program.package.as_str()];
    let words = |first: &[&'static str]| [first, &of, locked].concat().join(" ");
    draft.fact("tested by", words(&["cargo", "test"]), "Cargo.toml");
    let test = [&["cargo", "test"][..], &of, locked].concat();
    draft.job("test", &test, folder.inputs());
    let out = format!("target/release/{}", program.binary);
    let build = [&["cargo", "build", "--release"][..], &of, locked].concat();
    draft.fact(
        "built by",
        build.join(" "),
        if is_locked {
            "Cargo.toml, Cargo.lock"
        } else {
            "Cargo.toml"
        },
    );
    draft.job("build", &build, folder.inputs()).outputs = vec![out.clone()];
    if !procfile::has_web(folder) {
        draft.guess(
            "starts as",
            format!("./{}", program.binary),
            "what is built; --start says it with arguments",
        );
    }
    draft.start = vec![format!("./{}", program.binary)];
    draft.files.push(DraftFile {
        from: out,
        to: program.binary,
    });
    Ok(Some(draft))
}

/// Every binary of the folder's packages.
fn programs(folder: &Folder) -> Result<Vec<Program>, Unseen> {
    let mut programs = Vec::new();
    let manifests = folder
        .paths()
        .filter(|path| *path == "Cargo.toml" || path.ends_with("/Cargo.toml"));
    for file in manifests {
        let text = folder.text(file).unwrap_or_default();
        let manifest: Manifest = toml::from_str(text).map_err(|error| Unseen::Unreadable {
            file: file.to_owned(),
            why: error.message().to_owned(),
        })?;
        let Some(package) = manifest.package else {
            continue;
        };
        let at = file.trim_end_matches("Cargo.toml");
        let by_place = folder
            .has(&format!("{at}src/main.rs"))
            .then(|| package.name.clone());
        let named = manifest.bin.into_iter().map(|binary| binary.name);
        let mut names: Vec<String> = named.collect();
        if names.is_empty() {
            names.extend(by_place);
        }
        programs.extend(names.into_iter().map(|binary| Program {
            package: package.name.clone(),
            binary,
        }));
    }
    Ok(programs)
}

/// The one that is meant: the only one, or that of the name.
fn program(programs: &[Program], wishes: &Wishes) -> Result<Option<Program>, Unseen> {
    let named = wishes.service.as_ref().and_then(|name| {
        programs
            .iter()
            .find(|program| program.binary == name.as_str())
    });
    match (programs, named) {
        ([], _) => Ok(None),
        ([only], _) => Ok(Some(only.clone())),
        (_, Some(named)) => Ok(Some(named.clone())),
        (several, None) => {
            let names = several.iter().map(|program| program.binary.clone());
            Err(Unseen::Several(names.collect()))
        }
    }
}
