//! Starting cargo from a program that cargo has started: without what cargo told this one
//! about itself. Some build scripts read that, so with it their libraries would be compiled
//! anew whenever a command is started in the other way.

use std::process::Command;

/// What cargo tells the programs that it runs.
const TOLD: [&str; 16] = [
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_PKG_AUTHORS",
    "CARGO_PKG_DESCRIPTION",
    "CARGO_PKG_HOMEPAGE",
    "CARGO_PKG_LICENSE",
    "CARGO_PKG_LICENSE_FILE",
    "CARGO_PKG_NAME",
    "CARGO_PKG_README",
    "CARGO_PKG_REPOSITORY",
    "CARGO_PKG_RUST_VERSION",
    "CARGO_PKG_VERSION",
    "CARGO_PKG_VERSION_MAJOR",
    "CARGO_PKG_VERSION_MINOR",
    "CARGO_PKG_VERSION_PATCH",
    "CARGO_PKG_VERSION_PRE",
];

/// The command `cargo`, to be given its arguments.
pub(crate) fn command() -> Command {
    let mut command = Command::new("cargo");
    for name in TOLD {
        command.env_remove(name);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_cargo_told_this_program_is_handed_on() {
        let env = chassis::Env::process();
        // Cargo tells tests the same as programs.
        assert!(env.get("CARGO_MANIFEST_DIR").is_some());
        let command = command();
        let taken: Vec<_> = command
            .get_envs()
            .filter(|(_, value)| value.is_none())
            .map(|(name, _)| name.to_string_lossy().into_owned())
            .collect();
        let told = env
            .iter()
            .map(|(name, _)| name)
            .filter(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"));
        for name in told {
            assert!(taken.iter().any(|taken| taken == name), "{name}");
        }
    }
}
