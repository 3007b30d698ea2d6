//! The table on disk: written aside, synced, renamed, before it is served, with the last
//! generations beside it. A crash leaves the old table or the new, never a mixture.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chassis::durable;

use crate::table::{Generation, Table};

/// How many generations are kept.
const KEPT: usize = 10;

/// Reads the table that was served last; none where none was ever published.
pub(crate) fn load(folder: &Path) -> io::Result<Option<Table>> {
    match fs::read(folder.join("table.json")) {
        Ok(content) => serde_json::from_slice(&content)
            .map(Some)
            .map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
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
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("table.json"), b"{\"gener").unwrap();
        assert!(load(folder.path()).is_err());
    }

    #[test]
    fn the_visitor_key_stays_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let random = chassis::Random::seeded(1);
        let key = visitor_key(folder.path(), &random).unwrap();
        assert_eq!(visitor_key(folder.path(), &random).unwrap(), key);
    }
}
