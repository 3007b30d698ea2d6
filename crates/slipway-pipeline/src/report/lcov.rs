//! LCOV tracefiles. Lines are counted from the lines themselves, each once although several
//! records name its file; the sums that a record states say nothing more and are not used.

use std::collections::BTreeMap;

use super::{Numbers, Unreadable, as_number};

#[derive(Debug, Default)]
struct File {
    lines: BTreeMap<u64, u64>,
    functions: BTreeMap<String, u64>,
    branches: BTreeMap<String, u64>,
}

pub(super) fn read(text: &str) -> Result<Numbers, Unreadable> {
    let mut files: BTreeMap<&str, File> = BTreeMap::new();
    let mut open: Option<&str> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_end();
        let wrong = || Unreadable(format!("line {} cannot be read: {line:?}", index + 1));
        if let Some(name) = line.strip_prefix("SF:") {
            if open.is_some() {
                return Err(wrong());
            }
            open = Some(name);
            files.entry(name).or_default();
        } else if line == "end_of_record" {
            open.take().ok_or_else(wrong)?;
        } else if let Some((tag, value)) = line.split_once(':') {
            let file = open.and_then(|name| files.get_mut(name));
            record(file, tag, value).ok_or_else(wrong)?;
        } else if !line.is_empty() && !line.starts_with('#') {
            return Err(wrong());
        }
    }
    if open.is_some() {
        return Err(Unreadable("it ends in the middle of a record".to_owned()));
    }
    Ok(numbers(&files))
}

/// Takes one line of a record in; none where it cannot be read.
fn record(file: Option<&mut File>, tag: &str, value: &str) -> Option<()> {
    match (tag, file) {
        ("DA", Some(file)) => {
            let mut fields = value.split(',');
            let line = fields.next()?.parse().ok()?;
            let hits = hits(fields.next()?)?;
            add(file.lines.entry(line).or_default(), hits);
        }
        ("FN", Some(file)) => {
            let name = value.rsplit(',').next()?;
            file.functions.entry(name.to_owned()).or_default();
        }
        ("FNDA", Some(file)) => {
            let (count, name) = value.split_once(',')?;
            add(
                file.functions.entry(name.to_owned()).or_default(),
                hits(count)?,
            );
        }
        ("BRDA", Some(file)) => {
            let (place, count) = value.rsplit_once(',')?;
            let count = if count == "-" { 0 } else { hits(count)? };
            add(file.branches.entry(place.to_owned()).or_default(), count);
        }
        ("DA" | "FN" | "FNDA" | "BRDA", None) => return None,
        // Sums and names that say nothing that the lines do not say.
        _ => {}
    }
    Some(())
}

/// Only whether there was a hit counts, so a sum beyond all bounds may stay there.
fn add(sum: &mut u64, hits: u64) {
    *sum = sum.saturating_add(hits);
}

fn hits(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

fn numbers(files: &BTreeMap<&str, File>) -> Numbers {
    let mut lines = (0, 0);
    let mut functions = (0, 0);
    let mut branches = (0, 0);
    for file in files.values() {
        tally(&mut lines, file.lines.values());
        tally(&mut functions, file.functions.values());
        tally(&mut branches, file.branches.values());
    }
    let mut metrics = BTreeMap::from([
        ("files", as_number(files.len() as u64)),
        ("lines-hit", as_number(lines.1)),
        ("lines-total", as_number(lines.0)),
    ]);
    for (name, sums) in [
        ("lines", lines),
        ("functions", functions),
        ("branches", branches),
    ] {
        // Of nothing there is no share: absent, not 100 %.
        if sums.0 > 0 {
            metrics.insert(name, as_number(sums.1) * 100.0 / as_number(sums.0));
        }
    }
    Numbers {
        population: lines.0,
        metrics,
        failures: Vec::new(),
    }
}

fn tally<'a>(sums: &mut (u64, u64), counts: impl Iterator<Item = &'a u64>) {
    for count in counts {
        sums.0 += 1;
        sums.1 += u64::from(*count > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_file_in_two_records_count_once() {
        let text = "TN:\nSF:a.rs\nFN:1,main\nFNDA:0,main\nDA:1,0\nDA:2,3\nend_of_record\n\
                    SF:a.rs\nDA:1,1\nDA:3,0\nBRDA:1,0,0,-\nBRDA:1,0,1,2\nend_of_record\n";
        let numbers = read(text).unwrap();
        assert_eq!(numbers.population, 3);
        assert_eq!(numbers.metric("lines-hit"), Some(2.0));
        assert_eq!(numbers.metric("branches"), Some(50.0));
        assert_eq!(numbers.metric("functions"), Some(0.0));
        assert_eq!(numbers.metric("files"), Some(1.0));
    }

    #[test]
    fn hits_beyond_all_bounds_are_hits() {
        let most = u64::MAX;
        let text = format!("SF:a.rs\nDA:1,{most}\nDA:1,1\nend_of_record\n");
        assert_eq!(read(&text).unwrap().metric("lines-hit"), Some(1.0));
    }

    #[test]
    fn of_nothing_there_is_no_share() {
        let numbers = read("").unwrap();
        assert_eq!((numbers.population, numbers.metric("lines")), (0, None));
    }

    #[test]
    fn what_is_not_a_whole_tracefile_is_not_believed() {
        for text in [
            "SF:a\nDA:1,1\n",
            "DA:1,1\n",
            "SF:a\nDA:x,1\nend_of_record\n",
            "hello\n",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
