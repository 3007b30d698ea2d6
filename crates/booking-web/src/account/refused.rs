//! Passwords that are long enough and guessed first all the same: the commonest ones, one
//! piece said again and again, a walk along the keyboard, somebody's own name, and what is made
//! of the world's best known passwords, words, names and dates. Reads and keeps nothing.

use std::collections::BTreeSet;

use zxcvbn::zxcvbn;

/// The commonest of twelve characters or more, and the words that most of them are made
/// of: a word with nothing but digits and signs around it is refused as well.
const COMMON: &[&str] = &[
    "accessgranted",
    "administrator",
    "afrikaans",
    "allblacks",
    "appointment",
    "appointmentbooking",
    "babygirl",
    "basketball",
    "beautiful",
    "bloemfontein",
    "bookingbooking",
    "butterfly",
    "capetown",
    "changeme",
    "changemenow",
    "cheesecake",
    "chocolate",
    "christmas",
    "computer",
    "correcthorsebatterystaple",
    "cricketcricket",
    "defaultpassword",
    "durban",
    "elephant",
    "football",
    "forgotpassword",
    "freedom",
    "godisgood",
    "godislove",
    "goodmorning",
    "hakunamatata",
    "halloween",
    "harrypotter",
    "helloworld",
    "heslo",
    "iamtheboss",
    "icecream",
    "iloveyou",
    "iloveyousomuch",
    "ilovemyself",
    "ilovejesus",
    "jesuschrist",
    "jesusislord",
    "johannesburg",
    "kaiserchiefs",
    "kaizerchiefs",
    "letmein",
    "letmeinnow",
    "letmeinplease",
    "liverpool",
    "liverpoolfc",
    "manchester",
    "manchesterunited",
    "masterpassword",
    "michaeljordan",
    "microsoft",
    "motdepasse",
    "mypassword",
    "mynameis",
    "nelsonmandela",
    "newpassword",
    "nopassword",
    "notapassword",
    "orlandopirates",
    "passphrase",
    "password",
    "passwordone",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "pa$$word",
    "pa55word",
    "pokemon",
    "pretoria",
    "princess",
    "protea",
    "qwertyuiop",
    "qwerty",
    "secretpassword",
    "southafrica",
    "spiderman",
    "springboks",
    "starwars",
    "strawberry",
    "summer",
    "sunflower",
    "sunshine",
    "superman",
    "supersecret",
    "temporary",
    "testtest",
    "thisisapassword",
    "trustno1",
    "unknown",
    "wachtwoord",
    "watermelon",
    "welcome",
    "welcometo",
    "whatever",
    "winter",
    "wagwoord",
    "yourpassword",
    "zaq12wsxcde3",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "q1w2e3r4t5y6",
    "qazwsxedcrfv",
    "asdfghjkl",
];

/// Along these a finger walks without thinking.
const WALKS: &[&str] = &[
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// A piece of at most so many letters, said again and again, is as short as it is.
const PIECE_CHARS_MAX: usize = 6;

/// What takes fewer guesses is refused. Up to here an attacker comes who asks us and no stolen
/// hash ("somewhat guessable": Wheeler, zxcvbn, USENIX Security 2016).
const GUESSES_MIN: u64 = 100_000_000;
/// So many characters are looked up; each further one counts as a digit does.
const LOOKED_UP_CHARS_MAX: usize = 24;
/// Signs that may stand for letters, and how many of them may: with each there are more readings
/// to look up, and with all of them that takes seconds. Where there are more, none of them does.
const SIGNS_FOR_LETTERS: &str = "@({[<!|$+%";
const SIGNS_FOR_LETTERS_MAX: usize = 4;
/// Shorter pieces of names are in other words as well.
const NAME_CHARS_MIN: usize = 3;

/// Whether somebody who guesses would try this early. `names` are those of the person.
pub(super) fn is_guessable(password: &str, names: &[&str]) -> bool {
    let password = password.to_lowercase();
    let bare: String = password.chars().filter(|c| !c.is_whitespace()).collect();
    is_repeated(&bare)
        || is_walk(&bare)
        || is_common(&bare)
        || is_name(&bare, names)
        || is_known(&bare, names)
}

/// Whether it is soon found among thirty thousand passwords, twice as many words and names,
/// those of the person, dates, walks and repetitions, and what people make of them.
fn is_known(text: &str, names: &[&str]) -> bool {
    let stands = |c: &char| SIGNS_FOR_LETTERS.contains(*c);
    let signs: BTreeSet<char> = text.chars().filter(stands).collect();
    let is_read = |c: &char| signs.len() <= SIGNS_FOR_LETTERS_MAX || !stands(c);
    let read = text.chars().filter(is_read);
    let beginning: String = read.take(LOOKED_UP_CHARS_MAX).collect();
    let further = text.chars().count() - beginning.chars().count();
    let of_rest = u32::try_from(further)
        .ok()
        .and_then(|n| 10_u64.checked_pow(n));
    let pieces = pieces(names);
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let guesses = of_rest.and_then(|rest| zxcvbn(&beginning, &pieces).guesses().checked_mul(rest));
    guesses.is_some_and(|guesses| guesses < GUESSES_MIN)
}

/// The words of names, and each name as one word.
fn pieces(names: &[&str]) -> Vec<String> {
    let mut pieces = Vec::new();
    for name in names {
        let name = name.to_lowercase();
        let words = name.split(|c: char| !c.is_alphanumeric());
        pieces.extend(words.map(str::to_owned));
        pieces.push(name.chars().filter(|c| c.is_alphanumeric()).collect());
    }
    pieces.retain(|piece| piece.chars().count() >= NAME_CHARS_MIN);
    pieces
}

fn is_repeated(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=PIECE_CHARS_MAX.min(chars.len())).any(|size| {
        chars
            .iter()
            .zip(chars.iter().skip(size))
            .all(|(a, b)| a == b)
    })
}

fn is_walk(text: &str) -> bool {
    let reversed: String = text.chars().rev().collect();
    WALKS
        .iter()
        .any(|walk| walk.contains(text) || walk.contains(&reversed))
}

fn is_common(text: &str) -> bool {
    let word = text.trim_matches(|c: char| !c.is_alphabetic());
    COMMON
        .iter()
        .any(|common| *common == text || *common == word)
}

/// What is known of a person, with nothing but digits and signs around it.
fn is_name(text: &str, names: &[&str]) -> bool {
    let letters = |text: &str| -> String {
        text.to_lowercase()
            .chars()
            .filter(|c| c.is_alphabetic())
            .collect()
    };
    let text = letters(text);
    names.iter().any(|name| {
        let name = letters(name);
        name.chars().count() >= NAME_CHARS_MIN && text == name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_first_is_refused() {
        for guessed in [
            "Password1234",
            "password 2027!",
            "SouthAfrica2027",
            "abababababab",
            "hello1hello1hello1",
            "123456789012",
            "210987654321",
            "qwertyuiopas",
            "1qaz2wsx3edc",
            "KaizerChiefs!!",
            "Thandi.Nkosi99",
            "karoo-cuts-2027",
            "abcdefghijklm!?",
            "michaeljordan23",
            "princess 123456",
            "AlexanderTheGreat",
            "unbelievable1",
            "ManchesterUnited7",
            "baseballbaseball1",
            "liverpool19961996",
            "passwordpasswordpassword1",
            "michael1234567",
            "123456789123",
            "thandi12345678",
            "nkosi@@@@@@@@@",
            "Christopher Columbus",
        ] {
            let names = ["Thandi Nkosi", "Karoo Cuts", "thandi@karoo-cuts.example"];
            assert!(is_guessable(guessed, &names), "{guessed}");
        }
    }

    #[test]
    fn a_sentence_is_taken_whatever_it_is_made_of() {
        for taken in [
            "my sister sings on sundays",
            "die kat sit op die dak",
            "nkosi and two goats",
            "ngiyabonga kakhulu",
            "7%Kz2$9!x&4q",
            "8305124077093",
            "passwordpasswordpassword with nine goats",
        ] {
            assert!(!is_guessable(taken, &["Thandi Nkosi"]), "{taken}");
        }
    }

    #[test]
    fn signs_that_have_too_many_readings_are_not_read_and_the_rest_is() {
        assert!(is_known("princess@({[<", &[]));
        assert!(!is_known(&SIGNS_FOR_LETTERS.repeat(20), &[]));
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_can_be_sent_breaks_it(text in "\\PC{0,200}", name in "\\PC{0,100}") {
            is_guessable(&text, &[&name]);
        }
    }
}
