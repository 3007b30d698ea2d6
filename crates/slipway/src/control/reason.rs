//! Why somebody orders something, in words that are kept in the journal and shown to others: a
//! sentence or two, without what a terminal would obey or what turns the order of letters.

use crate::cli::failure::Failure;

/// The longest reason.
const CHARS_MAX: usize = 500;

/// A reason as it is kept, where one that cannot be shown must not stand in the way.
pub(crate) fn kept(text: &str) -> String {
    let shown = text.trim().chars().filter(|c| is_shown(*c));
    shown.take(CHARS_MAX).collect()
}

/// Refuses what is no reason; `example` shows where one goes.
pub(crate) fn check(reason: &str, example: &str) -> Result<(), Failure> {
    let is_words = !reason.trim().is_empty() && reason.chars().all(is_shown);
    if is_words && reason.chars().count() <= CHARS_MAX {
        return Ok(());
    }
    let words = format!("a reason is words, {CHARS_MAX} characters at most");
    Err(Failure::usage(words).hint(example))
}

/// Neither a control character nor one that changes the direction of what stands around it
/// (Unicode Standard Annex 9 §2).
fn is_shown(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !c.is_control() && !turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_letters_or_moves_a_cursor_is_no_reason() {
        for hidden in ["", " ", "a\u{1b}[2Jb", "no\u{202e}sey", "a\nb"] {
            assert!(check(hidden, "").is_err(), "{hidden:?}");
        }
        assert!(check("die prys is verkeerd – R 1 200", "").is_ok());
        assert!(check(&"x".repeat(501), "").is_err());
        assert_eq!(kept(" no\u{202e}sey\n "), "nosey");
        assert_eq!(kept(&"x".repeat(900)).len(), 500);
    }
}
