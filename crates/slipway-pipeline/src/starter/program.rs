//! A program by itself: a script, or something compiled, at the top of the folder, that names
//! the variable `PORT`.

use super::draft::Draft;
use super::{Folder, Kind, Unseen, Wishes};

/// What scripts are run with, by the ends of their names, and how their grammar is checked.
const LANGUAGES: [(&str, &str, &[&str]); 8] = [
    (
        ".py",
        "python3",
        &[
            "python3",
            "-c",
            "import ast, sys; ast.parse(open(sys.argv[1]).read())",
        ],
    ),
    (".rb", "ruby", &["ruby", "-c"]),
    (".js", "node", &["node", "--check"]),
    (".mjs", "node", &["node", "--check"]),
    (".cjs", "node", &["node", "--check"]),
    (".php", "php", &["php", "-l"]),
    (".pl", "perl", &["perl", "-c"]),
    (".sh", "sh", &["sh", "-n"]),
];
/// What people call the program that serves, the most telling first.
const USUAL: [&str; 8] = [
    "server", "serve", "web", "app", "main", "index", "start", "run",
];

/// The draft of a folder with a program that reads `PORT`.
pub(super) fn draft(folder: &Folder, wishes: &Wishes) -> Result<Option<Draft>, Unseen> {
    let mut draft = Draft::new(Kind::Program);
    let found = chosen(folder, wishes)?;
    if found.is_none() && wishes.start.is_none() {
        return Ok(None);
    }
    if let Some((file, start)) = &found {
        draft.fact("starts as", start.join(" "), format!("{file} reads PORT"));
        draft.start.clone_from(start);
    }
    check(folder, found.as_ref().map(|(file, _)| *file), &mut draft);
    draft.pack(folder.to_pack());
    if folder.has("requirements.txt") {
        draft.guess(
            "packages",
            "requirements.txt",
            "they must be on the machine: no job installs them yet",
        );
    }
    Ok((!draft.files.is_empty()).then_some(draft))
}

/// The job that a release rests on where there is no test: the program's grammar.
pub(super) fn check(folder: &Folder, file: Option<&str>, draft: &mut Draft) {
    let Some(file) = file else {
        let any = folder
            .to_pack()
            .into_iter()
            .next()
            .unwrap_or_else(|| ".".to_owned());
        draft.guess(
            "checked by",
            format!("test -e {any}"),
            "no test and no grammar is known",
        );
        draft.job("check", &["test", "-e", &any], folder.inputs());
        return;
    };
    let language = LANGUAGES.iter().find(|(end, _, _)| file.ends_with(end));
    let run: Vec<&str> = match language {
        Some((_, _, check)) => check.iter().copied().chain([file]).collect(),
        None if folder
            .text(file)
            .is_some_and(|text| text.starts_with("#!/bin/sh")) =>
        {
            vec!["sh", "-n", file]
        }
        None => vec!["test", "-x", file],
    };
    let words = match run.as_slice() {
        ["python3", ..] => format!("the grammar of {file}"),
        run => run.join(" "),
    };
    draft.guess("checked by", words, "no test was seen");
    draft.job("check", &run, folder.inputs());
    draft.pass.push("HOME");
}

/// The program that is meant, and how it is started.
fn chosen<'a>(
    folder: &'a Folder,
    wishes: &Wishes,
) -> Result<Option<(&'a str, Vec<String>)>, Unseen> {
    let mut found: Vec<(&'a str, Vec<String>)> = folder
        .paths()
        .filter(|path| !path.contains('/') && !path.starts_with('.') && folder.names_port(path))
        .filter_map(|path| Some((path, started(folder, path)?)))
        .collect();
    let rank = |path: &str| {
        let stem = path.split('.').next().unwrap_or(path);
        if wishes
            .service
            .as_ref()
            .is_some_and(|name| name.as_str() == stem)
        {
            return 0;
        }
        USUAL
            .iter()
            .position(|usual| *usual == stem)
            .unwrap_or(USUAL.len())
            + 1
    };
    found.sort_by_key(|(path, _)| rank(path));
    match found.as_slice() {
        [(first, _), (second, _), ..] if rank(first) == rank(second) => {
            let names = found.iter().map(|(path, _)| (*path).to_owned());
            Err(Unseen::Several(names.collect()))
        }
        _ => Ok(found.into_iter().next()),
    }
}

fn started(folder: &Folder, path: &str) -> Option<Vec<String>> {
    if folder.is_executable(path) {
        return Some(vec![format!("./{path}")]);
    }
    let (_, interpreter, _) = LANGUAGES.iter().find(|(end, _, _)| path.ends_with(end))?;
    Some(vec![(*interpreter).to_owned(), path.to_owned()])
}
