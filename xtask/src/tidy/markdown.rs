//! Links in Markdown lead somewhere: a file that exists, a heading that exists.
//! Links to other hosts are not followed.

use std::path::Path;

use super::Finding;

/// Checks the links of one page.
pub(super) fn check(root: &Path, file: &Path, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in prose(text) {
        for target in targets(line) {
            if let Some(problem) = problem(root, file, text, target) {
                findings.push(Finding {
                    file: file.to_owned(),
                    line: number,
                    rule: "link",
                    advice: format!("{target}: {problem}"),
                });
            }
        }
    }
    findings
}

/// The lines outside code blocks, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        (!in_code && !is_fence).then_some((index + 1, line))
    })
}

/// What stands between `](` and `)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(')')?.0))
}

fn problem(root: &Path, file: &Path, text: &str, target: &str) -> Option<&'static str> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = file.parent().unwrap_or(Path::new(""));
    let page = root.join(folder).join(path);
    if !path.is_empty() && !page.exists() {
        return Some("there is no such file");
    }
    if anchor.is_empty() {
        return None;
    }
    let there = if path.is_empty() {
        has_heading(text, anchor)
    } else {
        std::fs::read_to_string(&page).is_ok_and(|text| has_heading(&text, anchor))
    };
    (!there).then_some("there is no such heading")
}

fn has_heading(text: &str, anchor: &str) -> bool {
    prose(text)
        .filter(|(_, line)| line.starts_with('#'))
        .map(|(_, line)| line.trim_start_matches('#').trim())
        .any(|heading| slug(heading) == anchor)
}

/// A heading as an anchor: lower case, hyphens for spaces, other signs left out.
fn slug(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_nothing_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("there.md"), "# A Heading, here").unwrap();
        let text = "[a](there.md) [b](gone.md)\n[c](there.md#a-heading-here) [d](there.md#gone)\n\
                    ```\n[e](gone.md)\n```\n[f](https://example.org/x) [g](#gone)";
        let found = check(folder.path(), Path::new("page.md"), text);
        let places: Vec<_> = found.iter().map(|f| (f.line, f.advice.as_str())).collect();
        assert_eq!(
            places,
            [
                (1, "gone.md: there is no such file"),
                (2, "there.md#gone: there is no such heading"),
                (6, "#gone: there is no such heading"),
            ]
        );
    }
}
