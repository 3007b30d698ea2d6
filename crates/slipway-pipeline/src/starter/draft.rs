//! What is known of a future `slipway.toml` before it is written. Only values.

use slipway_journal::ServiceName;

use super::{Fact, Folder, Kind};

/// A future `slipway.toml`.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) kind: Kind,
    /// What the folder's own manifest calls it.
    pub(super) name: Option<String>,
    pub(super) toolchain: Vec<&'static str>,
    pub(super) pass: Vec<&'static str>,
    /// In the order in which they need each other.
    pub(super) jobs: Vec<DraftJob>,
    pub(super) start: Vec<String>,
    pub(super) migrate: Option<Vec<String>>,
    pub(super) files: Vec<DraftFile>,
    pub(super) facts: Vec<Fact>,
}

/// A future job.
#[derive(Debug, Clone)]
pub(super) struct DraftJob {
    pub(super) name: &'static str,
    pub(super) run: Vec<String>,
    pub(super) needs: Vec<&'static str>,
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
}

/// Something that is packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DraftFile {
    pub(super) from: String,
    pub(super) to: String,
}

impl Draft {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            name: None,
            toolchain: Vec::new(),
            pass: Vec::new(),
            jobs: Vec::new(),
            start: Vec::new(),
            migrate: None,
            files: Vec::new(),
            facts: Vec::new(),
        }
    }

    /// Something that was seen; what was known of the same thing before is replaced.
    pub(super) fn fact(
        &mut self,
        what: &'static str,
        value: impl Into<String>,
        whence: impl Into<String>,
    ) {
        self.put(what, value.into(), whence.into(), false);
    }

    /// Something that a person should look at.
    pub(super) fn guess(
        &mut self,
        what: &'static str,
        value: impl Into<String>,
        whence: impl Into<String>,
    ) {
        self.put(what, value.into(), whence.into(), true);
    }

    fn put(&mut self, what: &'static str, value: String, whence: String, is_guess: bool) {
        let fact = Fact {
            what,
            value,
            whence,
            is_guess,
        };
        match self.facts.iter_mut().find(|known| known.what == what) {
            Some(known) => *known = fact,
            None => self.facts.push(fact),
        }
    }

    pub(super) fn job(
        &mut self,
        name: &'static str,
        run: &[&str],
        inputs: Vec<String>,
    ) -> &mut DraftJob {
        let needs = self.jobs.last().map(|job| job.name);
        self.jobs.push(DraftJob {
            name,
            run: run.iter().map(|&word| word.to_owned()).collect(),
            needs: needs.into_iter().collect(),
            inputs,
            outputs: Vec::new(),
        });
        let last = self.jobs.len() - 1;
        &mut self.jobs[last]
    }

    /// Packs each of `paths` at its own place.
    pub(super) fn pack(&mut self, paths: impl IntoIterator<Item = String>) {
        for path in paths {
            let file = DraftFile {
                from: path.clone(),
                to: path,
            };
            if !self.files.contains(&file) {
                self.files.push(file);
            }
        }
    }

    /// The manifest's name, or the folder's, as far as a service can be called so.
    pub(super) fn service_name(&self, folder: &Folder) -> ServiceName {
        let wanted = self.name.as_deref().into_iter().chain([folder.name()]);
        let mut names = wanted.filter_map(|name| sanitised(name).parse().ok());
        names
            .next()
            .unwrap_or_else(|| "app".parse().expect("\"app\" is a name"))
    }
}

/// `@scope/My_Shop` is `my-shop`.
fn sanitised(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let plain: String = last
        .chars()
        .map(|c| {
            if c.is_ascii_lowercase() || c.is_ascii_digit() {
                c
            } else {
                '-'
            }
        })
        .collect();
    let from_letter = plain.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    let short: String = from_letter.chars().take(40).collect();
    short.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_usable() {
        for (name, usable) in [
            ("@acme/Web_Shop", "web-shop"),
            ("example.com/7-days", "days"),
            ("über", "ber"),
            ("---", ""),
        ] {
            assert_eq!(sanitised(name), usable);
        }
    }
}
