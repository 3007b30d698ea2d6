//! `cargo xtask docs`: writes the pages that are made out of programs. Tests refuse a page
//! that is not what its program says.

use std::path::Path;

use anyhow::{Context as _, ensure};

use crate::cargo;

/// Writes `docs/cli.md`.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let output = cargo::command()
        .current_dir(root)
        .args([
            "run", "--quiet", "--locked", "-p", "slipway", "--", "manual",
        ])
        .output()
        .context("starting cargo")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`slipway manual` failed:\n{said}");
    let page = root.join("docs/cli.md");
    std::fs::write(&page, &output.stdout).with_context(|| format!("writing {}", page.display()))?;
    eprintln!("wrote docs/cli.md");
    Ok(())
}
