//! The table on disk: written aside, synced, renamed, before it is served, with the last
//! generations beside it. A crash leaves the old table or the new, never a mixture.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chassis::durable;

use crate::check;
use crate::table::{Generation, Table, TableError};

/// How many generations are kept.
const KEPT: usize = 10;

/// Why a file holds no table that can be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Damage {
    #[error("{0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("it names no routes")]
    NoRoutes,
    #[error("{0}")]
    Refused(#[from] TableError),
}

/// Reads the table that was served last; none where none was ever published. Where that table
/// is damaged or gone, the newest of the kept ones that can be served is, because visitors are
/// better off with the routes of a moment ago than with none.
pub(crate) fn load(folder: &Path) -> io::Result<Option<Table>> {
    let path = folder.join("table.json");
    let damage = match fs::read(&path) {
        Ok(content) => match parse(&content) {
            Ok(table) => return Ok(Some(table)),
            Err(damage) => Some(damage),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mut all = kept(folder)?;
    all.sort_by_key(|(generation, _)| std::cmp::Reverse(*generation));
    let found = all
        .iter()
        .find_map(|(_, path)| parse(&fs::read(path).ok()?).ok());
    match (found, damage) {
        (Some(table), damage) => {
            let reason = damage.map_or("it is gone".to_owned(), |damage| damage.to_string());
            let generation = table.generation.0;
            tracing::error!(
                reason,
                generation,
                "table.json is damaged; a kept one is served"
            );
            set_aside(&path);
            Ok(Some(table))
        }
        (None, Some(damage)) => Err(io::Error::other(format!(
            "table.json cannot be served ({damage}), nor any kept generation; put a good one in \
             its place, or remove all of them to begin without routes"
        ))),
        (None, None) if all.is_empty() => Ok(None),
        (None, None) => Err(io::Error::other(
            "table.json is gone, and no kept generation can be served; remove all of them to \
             begin without routes",
        )),
    }
}

/// What cannot be served must not be served in part: a file without routes is a damaged one.
pub(crate) fn parse(content: &[u8]) -> Result<Table, Damage> {
    let value: serde_json::Value = serde_json::from_slice(content)?;
    if value.get("routes").is_none() {
        return Err(Damage::NoRoutes);
    }
    let table = serde_json::from_value(value)?;
    check::structure(&table)?;
    Ok(table)
}

/// Keeps a damaged table for whoever wants to know how it became so.
fn set_aside(path: &Path) {
    match fs::rename(path, path.with_extension("json.damaged")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, "the damaged table is not set aside");
        }
        _ => {}
    }
}

/// Makes `table` the one that is loaded at the next start. Blocking.
pub(crate) fn save(folder: &Path, table: &Table) -> io::Result<()> {
    let content = serde_json::to_vec_pretty(table).map_err(io::Error::other)?;
    let own = folder.join(format!("table.{}.json", table.generation));
    durable::replace(&own, &content, 0o600)?;
    durable::replace(&folder.join("table.json"), &content, 0o600)?;
    // The table is safe by now: old generations that stay behind are a nuisance only.
    if let Err(error) = prune(folder) {
        tracing::warn!(%error, "old routing tables cannot be removed");
    }
    Ok(())
}

/// The key that visitors are drawn by; made at the first start. Blocking.
pub(crate) fn visitor_key(folder: &Path, random: &chassis::Random) -> io::Result<[u8; 32]> {
    let path = folder.join("visitor.key");
    match fs::read(&path) {
        Ok(bytes) => {
            if let Ok(key) = <[u8; 32]>::try_from(bytes.as_slice()) {
                return Ok(key);
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut key = [0; 32];
    random.fill(&mut key);
    durable::replace(&path, &key, 0o600)?;
    Ok(key)
}

fn prune(folder: &Path) -> io::Result<()> {
    let mut generations = kept(folder)?;
    generations.sort_by_key(|(generation, _)| std::cmp::Reverse(*generation));
    for (_, path) in generations.into_iter().skip(KEPT) {
        fs::remove_file(path)?;
    }
    Ok(())
}

fn kept(folder: &Path) -> io::Result<Vec<(Generation, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let number = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_prefix("table.")?.strip_suffix(".json"))
            .and_then(|number| number.parse().ok());
        if let Some(number) = number {
            found.push((Generation(number), path));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(generation: u64) -> Table {
        Table {
            generation: Generation(generation),
            ..Table::default()
        }
    }

    #[test]
    fn the_last_ten_generations_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(load(folder.path()).unwrap(), None);
        for generation in 1..=25 {
            save(folder.path(), &table(generation)).unwrap();
        }
        assert_eq!(load(folder.path()).unwrap(), Some(table(25)));
        let mut numbers: Vec<_> = kept(folder.path())
            .unwrap()
            .into_iter()
            .map(|k| k.0.0)
            .collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (16..=25).collect::<Vec<_>>());
    }

    #[test]
    fn a_table_written_aside_and_never_renamed_is_not_served() {
        let folder = tempfile::tempdir().unwrap();
        save(folder.path(), &table(1)).unwrap();
        fs::write(folder.path().join(".table.json.77.new"), b"{\"gener").unwrap();
        fs::write(folder.path().join("table.2.json"), b"").unwrap();
        assert_eq!(load(folder.path()).unwrap(), Some(table(1)));
    }

    #[test]
    fn a_broken_table_is_an_error_and_no_empty_table() {
        for broken in [&b"{\"gener"[..], b"", b"{}", b"{\"generation\": 3}"] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("table.json"), broken).unwrap();
            let said = load(folder.path()).unwrap_err().to_string();
            assert!(said.contains("begin without routes"), "{said}");
            // And it stays where it was.
            assert_eq!(fs::read(folder.path().join("table.json")).unwrap(), broken);
        }
    }

    #[test]
    fn kept_generations_alone_are_no_first_start() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("table.3.json"), b"").unwrap();
        assert!(load(folder.path()).is_err());
        save(folder.path(), &table(2)).unwrap();
        fs::remove_file(folder.path().join("table.json")).unwrap();
        assert_eq!(load(folder.path()).unwrap(), Some(table(2)));
    }

    #[test]
    fn the_visitor_key_stays_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let random = chassis::Random::seeded(1);
        let key = visitor_key(folder.path(), &random).unwrap();
        assert_eq!(visitor_key(folder.path(), &random).unwrap(), key);
    }
}
