//! What the key of a job is made of right now: its words, its variables, the toolchain, and
//! the content of the files that it reads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chassis::{Clock, Env};

use crate::definition::{Command, Definition, Job};
use crate::digest::{self, Digests};
use crate::fingerprint::Fingerprints;
use crate::key::{Input, Parts};
use crate::tree::{SelectError, Selection, Tree, TreeFile};

/// Everything that keys are computed from.
#[derive(Debug)]
pub(crate) struct Keying<'a> {
    definition: &'a Definition,
    env: &'a Env,
    pub(crate) fingerprints: Fingerprints,
    pub(crate) digests: Digests,
    tree: Tree,
}

/// A job's key with what it came from.
#[derive(Debug)]
pub(crate) struct Keyed {
    pub(crate) parts: Parts,
    pub(crate) key: String,
    pub(crate) selection: Selection,
    pub(crate) inputs: Vec<TreeFile>,
}

impl<'a> Keying<'a> {
    /// Walks through the project and asks the toolchain.
    pub(crate) async fn prepare(
        definition: &'a Definition,
        env: &'a Env,
        clock: Clock,
        cache: &Path,
        own: &[PathBuf],
    ) -> std::io::Result<Self> {
        let (root, own) = (definition.root.clone(), own.to_vec());
        let memory = cache.join("digests.json");
        let walk = tokio::task::spawn_blocking(move || {
            Tree::walk(&root, &own).map(|tree| (tree, Digests::load(&memory, clock)))
        });
        let variables = project_variables(definition, env);
        let ask = Fingerprints::take(&definition.project.toolchain, &definition.root, &variables);
        let (walked, fingerprints) = tokio::join!(walk, ask);
        let (tree, digests) = walked.map_err(std::io::Error::other)??;
        Ok(Self {
            definition,
            env,
            fingerprints,
            digests,
            tree,
        })
    }

    /// Walks again, because a job ran since.
    pub(crate) async fn look_again(&mut self, own: &[PathBuf]) -> std::io::Result<()> {
        let (root, own) = (self.definition.root.clone(), own.to_vec());
        let walk = tokio::task::spawn_blocking(move || Tree::walk(&root, &own));
        self.tree = walk.await.map_err(std::io::Error::other)??;
        Ok(())
    }

    /// The key of `name`; `needs` are the keys of the jobs that it needs.
    pub(crate) fn of(
        &mut self,
        name: &str,
        job: &Job,
        needs: BTreeMap<String, String>,
    ) -> Result<Keyed, SelectError> {
        let selection = selection(self.definition, job);
        let chosen = selection.of(&self.tree)?;
        let mut inputs = BTreeMap::new();
        for file in &chosen {
            let input = Input {
                digest: self.digests.of(&self.definition.root, file)?,
                executable: file.executable,
                is_link: file.is_link,
            };
            inputs.insert(file.path.clone(), input);
        }
        let reports = self.definition.reports.iter();
        let parts = Parts {
            command: match &job.command {
                Command::Argv(words) => words.clone(),
                Command::Script(path) => vec![path.clone()],
            },
            is_script: matches!(job.command, Command::Script(_)),
            folder: job.folder.clone(),
            env: self.env_digests(job),
            set: job.set.clone(),
            secrets: job.secrets.clone(),
            toolchain: self.fingerprints.digests(),
            platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            inputs,
            outputs: job.outputs.clone(),
            reports: reports
                .filter(|(_, spec)| spec.job == name)
                .map(|(report, spec)| (report.clone(), spec.path.clone()))
                .collect(),
            needs,
        };
        Ok(Keyed {
            key: parts.key(),
            parts,
            selection,
            inputs: chosen,
        })
    }

    fn env_digests(&self, job: &Job) -> BTreeMap<String, Option<String>> {
        let names = self.definition.project.env.union(&job.env);
        names
            .map(|name| {
                let value = set_value(self.env, name);
                (name.clone(), value.map(|v| digest::of_bytes(v.as_bytes())))
            })
            .collect()
    }
}

/// Which files a job of the project reads.
fn selection(definition: &Definition, job: &Job) -> Selection {
    let patterns = definition.project.inputs.iter().chain(&job.inputs);
    Selection {
        patterns: patterns.cloned().collect(),
        script: match &job.command {
            Command::Script(path) => Some(path.clone()),
            Command::Argv(_) => None,
        },
        outputs: job.outputs.clone(),
    }
}

/// The value of a variable that is set, also to nothing: absent and empty differ.
pub(crate) fn set_value<'a>(env: &'a Env, name: &str) -> Option<&'a str> {
    env.iter()
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// The variables that every process of the project gets.
fn project_variables(definition: &Definition, env: &Env) -> BTreeMap<String, String> {
    let project = &definition.project;
    let names = project.env.union(&project.pass).map(String::as_str);
    names
        .chain(std::iter::once("PATH"))
        .filter_map(|name| Some((name.to_owned(), set_value(env, name)?.to_owned())))
        .collect()
}

/// The whole environment of a job.
pub(crate) fn job_variables(
    definition: &Definition,
    job: &Job,
    env: &Env,
) -> BTreeMap<String, String> {
    let mut variables = project_variables(definition, env);
    let names = job.env.iter().chain(&job.pass).chain(&job.secrets);
    for name in names {
        if let Some(value) = set_value(env, name) {
            variables.insert(name.clone(), value.to_owned());
        }
    }
    variables.extend(
        job.set
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    variables
}
