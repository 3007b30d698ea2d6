//! A draft as the text of `slipway.toml`: what a person would have written, short lines where
//! that leaves it at no more than 30 of them.

use slipway_journal::ServiceName;
use toml::Value;

use super::draft::{Draft, DraftFile, DraftJob};

const LINES_MAX: usize = 30;
const COLUMNS: usize = 78;

/// The text.
pub(super) fn write(draft: &Draft, service: &ServiceName, health: &str) -> String {
    let spread = text(draft, service, health, COLUMNS);
    if spread.lines().count() <= LINES_MAX {
        return spread;
    }
    text(draft, service, health, usize::MAX)
}

fn text(draft: &Draft, service: &ServiceName, health: &str, columns: usize) -> String {
    let mut page = Page {
        columns,
        lines: vec![
            "# How it is checked, built and run: `slipway run`, then `slipway ship`.".to_owned(),
            "[project]".to_owned(),
        ],
    };
    page.line("name", &quote(service.as_str()));
    page.texts("toolchain", &draft.toolchain);
    page.texts("pass", &draft.pass);
    for job in &draft.jobs {
        page.job(job);
    }
    page.head(&format!("service.{service}"));
    let jobs: Vec<&str> = draft.jobs.iter().map(|job| job.name).collect();
    page.texts("needs", &jobs);
    page.texts("start", &draft.start);
    page.texts("migrate", draft.migrate.as_deref().unwrap_or_default());
    page.line("health", &quote(health));
    let files: Vec<String> = draft.files.iter().map(file).collect();
    page.list("files", &files);
    page.lines.join("\n") + "\n"
}

struct Page {
    columns: usize,
    lines: Vec<String>,
}

impl Page {
    fn job(&mut self, job: &DraftJob) {
        self.head(&format!("job.{}", job.name));
        self.texts("run", &job.run);
        self.texts("needs", &job.needs);
        self.texts("inputs", &job.inputs);
        self.texts("outputs", &job.outputs);
    }

    fn head(&mut self, name: &str) {
        self.lines.push(format!("\n[{name}]"));
    }

    fn line(&mut self, key: &str, value: &str) {
        self.lines.push(format!("{key} = {value}"));
    }

    /// A list of texts; none where it is empty.
    fn texts(&mut self, key: &str, texts: &[impl AsRef<str>]) {
        let quoted: Vec<String> = texts.iter().map(|text| quote(text.as_ref())).collect();
        self.list(key, &quoted);
    }

    fn list(&mut self, key: &str, values: &[String]) {
        let short = format!("[{}]", values.join(", "));
        if values.is_empty() {
            return;
        }
        if key.len() + 3 + short.len() <= self.columns {
            return self.line(key, &short);
        }
        let mut lines = vec![String::from(" ")];
        for value in values {
            let last = lines.last().map_or(0, String::len);
            if last + value.len() + 2 > self.columns && last > 1 {
                lines.push(String::from(" "));
            }
            if let Some(line) = lines.last_mut() {
                line.extend([" ", value, ","]);
            }
        }
        self.line(key, &format!("[\n{}\n]", lines.join("\n")));
    }
}

fn file(file: &DraftFile) -> String {
    if file.from == file.to {
        return quote(&file.from);
    }
    format!(
        "{{ from = {}, to = {} }}",
        quote(&file.from),
        quote(&file.to)
    )
}

/// `text` as TOML writes it.
fn quote(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}
