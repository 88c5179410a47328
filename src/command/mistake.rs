//! Why a line is no command, in the words of the person who wrote it.

use super::quote::quoted;
use super::{Grammar, Verb};
use crate::domain::IgnoreScope;

/// So many commands of one comment are read.
pub const MAX_COMMANDS: usize = 10;
/// Longer words are no slip of the pen.
const MAX_SLIP: usize = 16;

/// Why a line is no command, in Markdown for the person who wrote it. It mentions nobody, and what
/// it quotes of the line is in code spans.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Mistake {
    /// One to three sentences.
    pub why: String,
}

impl Mistake {
    /// The first word is neither a verb nor a version.
    pub(super) fn unknown(word: &str, grammar: &Grammar) -> Self {
        let next = match closest(word, Verb::ALL.map(Verb::name)) {
            Some(meant) => format!("Did you mean {}?", grammar.code(meant)),
            None => format!("{} lists the commands.", grammar.code(Verb::Help)),
        };
        Self { why: format!("{} is no command. {next}", quoted(word)) }
    }

    /// The word is not among what can be ignored.
    pub(super) fn no_scope(word: &str, grammar: &Grammar) -> Self {
        let next = match closest(word, IgnoreScope::ALL.map(IgnoreScope::name)) {
            Some(meant) => {
                let meant = format!("{} {meant}", Verb::Ignore);
                format!("Did you mean {}?", grammar.code(meant))
            }
            None => how_to_write(Verb::Ignore, grammar),
        };
        Self { why: format!("{} cannot be ignored. {next}", quoted(word)) }
    }

    /// The word is no version.
    pub(super) fn no_version(word: &str) -> Self {
        let why = format!(
            "{} is not a version. A version is written in full, like `3.10.4` or `3.10.4-rc.1`.",
            quoted(word)
        );
        Self { why }
    }

    /// The verb takes a word, and stands alone.
    pub(super) fn too_short(verb: Verb, grammar: &Grammar) -> Self {
        Self { why: format!("`{verb}` needs one word more. {}", how_to_write(verb, grammar)) }
    }

    /// There are more words than the verb takes.
    pub(super) fn too_long(verb: Verb, grammar: &Grammar) -> Self {
        let how = how_to_write(verb, grammar);
        Self { why: format!("There are more words here than `{verb}` takes. {how}") }
    }

    /// The comment has more commands than are read.
    pub(super) fn too_many() -> Self {
        let why = format!(
            "Only {MAX_COMMANDS} commands of a comment are read. This one and those below it were \
             left out."
        );
        Self { why }
    }
}

fn how_to_write(verb: Verb, grammar: &Grammar) -> String {
    let usage = grammar.code(verb.usage());
    if verb.usage() == verb.example() {
        return format!("Write {usage}.");
    }
    format!("Write {usage}, for example {}.", grammar.code(verb.example()))
}

/// The name that differs from `word` by a slip or two; the first of several. In a short name, a
/// second slip leaves too little of it.
fn closest(word: &str, names: impl IntoIterator<Item = &'static str>) -> Option<&'static str> {
    if word.len() > MAX_SLIP {
        return None;
    }
    let word = word.to_ascii_lowercase();
    let slips = |name| strsim::osa_distance(&word, name);
    let near = names.into_iter().map(|name| (slips(name), name));
    let near = near.filter(|(slips, name)| *slips <= if name.len() > 4 { 2 } else { 1 });
    near.min_by_key(|(slips, _)| *slips).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_seen_through_and_other_words_are_not() {
        for (word, meant) in [
            ("rebse", Some("rebase")),
            ("rebased", Some("rebase")),
            ("REABSE", Some("rebase")),
            ("hodl", Some("hold")),
            ("unhodl", Some("unhold")),
            ("hlep", Some("help")),
            ("dump", Some("bump")),
            ("cannary", Some("canary")),
            ("explan", Some("explain")),
            ("ingore", Some("ignore")),
            ("un-ignore", Some("unignore")),
            ("re-create", Some("recreate")),
            ("\u{200b}rebase", Some("rebase")),
            ("merge", None),
            ("close", None),
            ("retry", None),
            ("halt", None),
            ("is", None),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(closest(word, Verb::ALL.map(Verb::name)), meant, "{word:?}");
        }
        assert_eq!(closest(&"rebase".repeat(20_000), Verb::ALL.map(Verb::name)), None);
    }

    #[test]
    fn a_mistake_says_what_to_write_in_the_spelling_of_the_place() {
        let grammar = Grammar { prefix: "!pin".to_owned(), mention: None };
        for (mistake, why) in [
            (
                Mistake::unknown("rebse", &grammar),
                "`rebse` is no command. Did you mean `!pin rebase`?",
            ),
            (
                Mistake::unknown("merge", &grammar),
                "`merge` is no command. `!pin help` lists the commands.",
            ),
            (
                Mistake::no_scope("majors", &grammar),
                "`majors` cannot be ignored. Did you mean `!pin ignore major`?",
            ),
            (
                Mistake::no_scope("all", &grammar),
                "`all` cannot be ignored. Write `!pin ignore this|minor|major|patch`, for example \
                 `!pin ignore major`.",
            ),
            (
                Mistake::no_version("3.10"),
                "`3.10` is not a version. A version is written in full, like `3.10.4` or \
                 `3.10.4-rc.1`.",
            ),
            (
                Mistake::too_short(Verb::Bump, &grammar),
                "`bump` needs one word more. Write `!pin bump VERSION`, for example \
                 `!pin bump 3.10.4`.",
            ),
            (
                Mistake::too_long(Verb::Rebase, &grammar),
                "There are more words here than `rebase` takes. Write `!pin rebase`.",
            ),
            (
                Mistake::too_many(),
                "Only 10 commands of a comment are read. This one and those below it were left \
                 out.",
            ),
        ] {
            assert_eq!(mistake.why, why);
        }
    }
}
