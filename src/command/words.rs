//! What the words after the prefix ask for.

use super::quote::one_line;
use super::{Command, Grammar, Mistake, Verb};
use crate::domain::{IgnoreScope, Version};

/// So long may the reason of a hold be, in characters.
const MAX_REASON: usize = 200;
/// The tag of an image has at most so many characters, and a release is one.
const MAX_VERSION: usize = 128;
/// What people write when they mean a version, and what never is one.
const MOVING: [&str; 4] = ["latest", "newest", "next", "stable"];

/// The command in `said`, which is all that follows the prefix.
pub(super) fn command(said: &str, grammar: &Grammar) -> Result<Command, Mistake> {
    let words: Vec<&str> = without_courtesy(said).split_whitespace().collect();
    let Some((first, rest)) = words.split_first() else {
        return Ok(Command::Help);
    };
    match Verb::named(first) {
        // A reason is prose: it keeps its full stop, and its "please".
        Some(Verb::Hold) if !rest.is_empty() => Ok(Command::Hold(Some(reason(said)))),
        Some(verb) => with_verb(verb, rest, grammar),
        // The verb of the command that is written most may be left out.
        None if looks_like_version(first) => with_verb(Verb::Bump, &words, grammar),
        None => Err(Mistake::unknown(first, grammar)),
    }
}

fn with_verb(verb: Verb, rest: &[&str], grammar: &Grammar) -> Result<Command, Mistake> {
    let none = |command| match rest {
        [] => Ok(command),
        [_, ..] => Err(Mistake::too_long(verb, grammar)),
    };
    let one_or_none = || match rest {
        [] => Ok(None),
        [word] => Ok(Some(*word)),
        [_, _, ..] => Err(Mistake::too_long(verb, grammar)),
    };
    let one = || one_or_none()?.ok_or_else(|| Mistake::too_short(verb, grammar));
    match verb {
        Verb::Help => none(Command::Help),
        Verb::Explain => one_or_none()?.map(version).transpose().map(Command::Explain),
        Verb::Bump => version(one()?).map(Command::Bump),
        Verb::Canary => one_or_none()?.map(version).transpose().map(Command::Canary),
        Verb::Rebase => none(Command::Rebase),
        Verb::Recreate => none(Command::Recreate),
        Verb::Hold => none(Command::Hold(None)),
        Verb::Unhold => none(Command::Unhold),
        Verb::Ignore => scope(one()?, grammar).map(Command::Ignore),
        Verb::Unignore => none(Command::Unignore),
    }
}

/// What is said, without a "please" and the punctuation at its end.
fn without_courtesy(said: &str) -> &str {
    let end = |c: char| c.is_whitespace() || matches!(c, '.' | '!' | ',');
    let said = said.trim_end_matches(end);
    let last = said.split_whitespace().next_back().filter(|it| it.eq_ignore_ascii_case("please"));
    last.and_then(|last| said.strip_suffix(last)).map_or(said, |said| said.trim_end_matches(end))
}

/// All that follows the verb.
fn reason(said: &str) -> String {
    let words: Vec<&str> = said.split_whitespace().skip(1).collect();
    one_line(&words.join(" "), MAX_REASON)
}

/// Whether a word that is no verb is meant for a version.
fn looks_like_version(word: &str) -> bool {
    bare(word).starts_with(|c: char| c.is_ascii_digit())
        || MOVING.iter().any(|moving| moving.eq_ignore_ascii_case(word))
}

/// A version without the `v` of many a tag.
fn bare(word: &str) -> &str {
    word.strip_prefix(['v', 'V']).unwrap_or(word)
}

fn version(word: &str) -> Result<Version, Mistake> {
    let text = Some(bare(word)).filter(|text| text.len() <= MAX_VERSION);
    text.and_then(|text| text.parse().ok()).ok_or_else(|| Mistake::no_version(word))
}

fn scope(word: &str, grammar: &Grammar) -> Result<IgnoreScope, Mistake> {
    let named = |scope: &IgnoreScope| scope.name().eq_ignore_ascii_case(word);
    IgnoreScope::ALL.into_iter().find(named).ok_or_else(|| Mistake::no_scope(word, grammar))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &str) -> Result<Command, String> {
        command(words, &Grammar::usual()).map_err(|mistake| mistake.why)
    }

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn each_verb_takes_its_words() {
        let hold = |reason: &str| Command::Hold(Some(reason.to_owned()));
        for (words, expected) in [
            ("", Command::Help),
            ("HELP", Command::Help),
            ("3.10.4", Command::Bump(version("3.10.4"))),
            ("v3.10.4", Command::Bump(version("3.10.4"))),
            ("V3.10.4-rc.1+b", Command::Bump(version("3.10.4-rc.1+b"))),
            ("bump v3.10.4", Command::Bump(version("3.10.4"))),
            ("explain", Command::Explain(None)),
            ("explain  3.10.4", Command::Explain(Some(version("3.10.4")))),
            ("Canary", Command::Canary(None)),
            ("canary\u{3000}3.10.4", Command::Canary(Some(version("3.10.4")))),
            ("rebase", Command::Rebase),
            ("recreate", Command::Recreate),
            ("hold", Command::Hold(None)),
            ("hold  until  it rains. Please!", hold("until it rains. Please!")),
            ("hold 3.10.4 `@x`\0", hold("3.10.4 `@x`\u{fffd}")),
            ("Hold on", hold("on")),
            ("unhold", Command::Unhold),
            ("ignore this", Command::Ignore(IgnoreScope::This)),
            ("ignore MAJOR", Command::Ignore(IgnoreScope::Major)),
            ("ignore minor", Command::Ignore(IgnoreScope::Minor)),
            ("ignore patch", Command::Ignore(IgnoreScope::Patch)),
            ("unignore", Command::Unignore),
        ] {
            assert_eq!(said(words), Ok(expected), "{words:?}");
        }
        let long = said(&format!("hold {}", "é ".repeat(999)));
        let Ok(Command::Hold(Some(reason))) = long else { panic!("{long:?}") };
        assert_eq!((reason.chars().count(), reason.ends_with(" …")), (200, false));
    }

    #[test]
    fn please_and_punctuation_at_the_end_say_nothing() {
        for (words, expected) in [
            (".", Command::Help),
            ("please", Command::Help),
            ("rebase.", Command::Rebase),
            ("rebase, please!", Command::Rebase),
            ("rebase Please ...", Command::Rebase),
            ("rebase\u{3000}please", Command::Rebase),
            ("3.10.4.", Command::Bump(version("3.10.4"))),
            ("canary 3.10.4 please", Command::Canary(Some(version("3.10.4")))),
            ("ignore this!", Command::Ignore(IgnoreScope::This)),
            ("hold please.", Command::Hold(None)),
            ("hold!", Command::Hold(None)),
        ] {
            assert_eq!(said(words), Ok(expected), "{words:?}");
        }
        for words in
            ["please rebase", "rebase please please", "rebase thanks", "rebase?", "rebase;"]
        {
            assert!(said(words).is_err(), "{words}");
        }
    }

    #[test]
    fn other_words_are_mistakes_that_say_why() {
        for (words, why) in [
            ("merge", "`merge` is no command."),
            ("re base", "`re` is no command."),
            ("bumpp 3.10.4", "`bumpp` is no command. Did you mean `/bump bump`?"),
            ("please rebase", "`please` is no command."),
            ("rebase, canary", "`rebase,` is no command. Did you mean `/bump rebase`?"),
            ("v", "`v` is no command."),
            ("hold: rain", "`hold:` is no command. Did you mean `/bump hold`?"),
            ("rebase now", "There are more words here than `rebase` takes. Write `/bump rebase`."),
            ("help canary", "There are more words here than `help` takes."),
            ("3.10.4 now", "There are more words here than `bump` takes."),
            ("canary 3.10.4 now", "There are more words here than `canary` takes."),
            ("ignore this minor", "There are more words here than `ignore` takes."),
            ("bump", "`bump` needs one word more. Write `/bump bump VERSION`, for example"),
            (
                "ignore",
                "`ignore` needs one word more. Write `/bump ignore this|minor|major|patch`,",
            ),
            ("ignore 3.10.4", "`3.10.4` cannot be ignored."),
            ("@everyone", "`@everyone` is no command."),
        ] {
            let said = said(words).unwrap_err();
            assert!(said.starts_with(why), "{words}: {said}");
        }
    }

    #[test]
    fn a_version_is_written_in_full() {
        let long = format!("1.0.0-{}", "a".repeat(123));
        for word in [
            "3.10",
            "3",
            "v3",
            "3.10.4.1",
            "03.10.4",
            "3.10.x",
            "latest",
            "Stable",
            "3.10.4-",
            "3.10.4-rc..1",
            "99999999999999999999.0.0",
            "3.10.4@sha256:00",
            &long,
        ] {
            for words in [word.to_owned(), format!("canary {word}"), format!("bump {word}")] {
                let said = said(&words).unwrap_err();
                assert!(said.contains("is not a version. A version is written in full"), "{said}");
            }
        }
        assert!(said(&long[..MAX_VERSION]).is_ok());
        for word in ["vv3.10.4", "=3.10.4", "^3.10.4", "main", "sha256:00"] {
            assert!(said(&format!("explain {word}")).unwrap_err().contains("not a version"));
        }
    }
}
