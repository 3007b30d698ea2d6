//! Which crate may depend on which, and that pure crates stay pure. Anything that is
//! not listed here is refused, so a new crate has to be thought about.

use std::path::Path;

use super::Finding;

/// Allowed arrows between our own crates.
const ARROWS: &[(&str, &[&str])] = &[
    ("booking", &[]),
    ("flags", &[]),
    ("chassis", &[]),
    ("slipway-journal", &["chassis"]),
    ("slipway-proxy", &["chassis"]),
    ("slipway-pipeline", &["chassis", "slipway-journal"]),
    (
        "slipway-rollout",
        &["chassis", "slipway-journal", "slipway-proxy"],
    ),
    ("slipway-data", &["chassis", "slipway-journal"]),
    ("slipway-env", &["chassis", "slipway-journal"]),
    ("slipway-watch", &["chassis", "slipway-journal"]),
    ("slipway-evidence", &["chassis", "slipway-journal"]),
    (
        "slipway",
        &[
            "chassis",
            "flags",
            "slipway-data",
            "slipway-env",
            "slipway-evidence",
            "slipway-journal",
            "slipway-pipeline",
            "slipway-proxy",
            "slipway-rollout",
            "slipway-watch",
        ],
    ),
    ("booking-web", &["booking", "chassis", "flags"]),
    ("testkit", &["chassis"]),
    ("xtask", &["chassis", "testkit"]),
    ("slipway-fuzz", &["slipway-proxy"]),
];

/// Crates without I/O, and all that they may use.
const PURE: &[(&str, &[&str])] = &[
    ("booking", &["jiff", "serde", "thiserror"]),
    ("flags", &["jiff", "serde", "thiserror"]),
];

/// Checks one manifest.
pub(super) fn check(file: &Path, text: &str) -> Vec<Finding> {
    let finding = |rule, advice| Finding {
        file: file.to_owned(),
        line: 1,
        rule,
        advice,
    };
    let manifest: toml::Table = match text.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![finding("manifest", format!("cannot be read: {error}"))],
    };
    let Some(name) = manifest
        .get("package")
        .and_then(|p| p.get("name"))
        .and_then(|n| n.as_str())
    else {
        return Vec::new(); // the workspace itself
    };
    let dependencies = dependencies(&manifest);
    let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == name) else {
        return vec![finding(
            "arrow",
            format!("the crate {name} is not on the map in tidy/arrows.rs"),
        )];
    };
    let is_ours = |d: &&&str| ARROWS.iter().any(|(crate_name, _)| crate_name == *d);
    let mut findings: Vec<Finding> = dependencies
        .iter()
        .filter(|d| is_ours(d) && !allowed.contains(d))
        .map(|d| {
            finding(
                "arrow",
                format!("{name} may not depend on {d}; the map is in ARCHITECTURE.md"),
            )
        })
        .collect();
    if let Some((_, pure)) = PURE.iter().find(|(crate_name, _)| *crate_name == name) {
        findings.extend(dependencies.iter().filter(|d| !pure.contains(d)).map(|d| {
            finding(
                "pure",
                format!("{name} does no I/O and may not depend on {d}"),
            )
        }));
    }
    findings
}

/// What a crate is built from, on whatever platform, by the names of the packages.
fn dependencies(manifest: &toml::Table) -> Vec<&str> {
    let by_target = manifest.get("target").and_then(toml::Value::as_table);
    let by_target = by_target.into_iter().flat_map(toml::Table::values);
    std::iter::once(manifest)
        .chain(by_target.filter_map(toml::Value::as_table))
        .flat_map(|part| ["dependencies", "build-dependencies"].map(|name| part.get(name)))
        .filter_map(|table| table?.as_table())
        .flatten()
        .map(|(name, value)| {
            let package = value.get("package").and_then(toml::Value::as_str);
            package.unwrap_or(name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<&'static str> {
        check(Path::new("Cargo.toml"), text)
            .into_iter()
            .map(|f| f.rule)
            .collect()
    }

    #[test]
    fn an_arrow_that_is_not_on_the_map_is_refused() {
        let manifest =
            "[package]\nname = \"slipway-proxy\"\n[dependencies]\nslipway-rollout = \"1\"";
        assert_eq!(rules(manifest), ["arrow"]);
        let manifest =
            "[package]\nname = \"slipway-rollout\"\n[dependencies]\nslipway-proxy = \"1\"";
        assert_eq!(rules(manifest), [""; 0]);
    }

    #[test]
    fn an_arrow_cannot_hide_behind_another_name_or_a_platform() {
        for table in [
            "[dependencies]\nrollout = { package = \"slipway-rollout\", path = \"..\" }",
            "[target.'cfg(unix)'.dependencies]\nslipway-rollout = \"1\"",
        ] {
            let manifest = format!("[package]\nname = \"slipway-proxy\"\n{table}");
            assert_eq!(rules(&manifest), ["arrow"], "{table}");
        }
    }

    #[test]
    fn a_crate_that_nobody_thought_about_is_refused() {
        assert_eq!(rules("[package]\nname = \"helpers\""), ["arrow"]);
    }

    #[test]
    fn a_pure_crate_with_an_io_crate_is_refused() {
        let manifest = "[package]\nname = \"booking\"\n[dependencies]\ntokio = \"1\"\njiff = \"1\"";
        assert_eq!(rules(manifest), ["pure"]);
    }

    #[test]
    fn a_test_may_use_what_the_crate_may_not() {
        let manifest = "[package]\nname = \"booking\"\n[dev-dependencies]\nproptest = \"1\"";
        assert_eq!(rules(manifest), [""; 0]);
    }
}
