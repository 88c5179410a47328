//! The verbs: the one table that the parser, the help and the docs are made from.

use std::fmt;

/// What a command asks for, without its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// List the commands.
    Help,
    /// Say what was found out about a release.
    Explain,
    /// Propose a release.
    Bump,
    /// Run the contract canary again.
    Canary,
    /// Make the pull request anew on today's base branch.
    Rebase,
    /// The same, and give up what people committed to it.
    Recreate,
    /// Open and rewrite no pull request.
    Hold,
    /// End the hold.
    Unhold,
    /// Leave something out.
    Ignore,
    /// Leave nothing out any more.
    Unignore,
}

/// The permission in the repository that a command takes, in GitHub's words. A greater one
/// includes the smaller ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Needs {
    /// Whoever may read the repository.
    Read,
    /// Whoever may push to it.
    Write,
    /// Whoever maintains it.
    Maintain,
}

impl Needs {
    /// GitHub's name of the permission.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Maintain => "maintain",
        }
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

impl Verb {
    /// Every verb, in the order of the help.
    pub const ALL: [Self; 10] = [
        Self::Help,
        Self::Explain,
        Self::Bump,
        Self::Canary,
        Self::Rebase,
        Self::Recreate,
        Self::Hold,
        Self::Unhold,
        Self::Ignore,
        Self::Unignore,
    ];

    /// The word that is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Help => "help",
            Self::Explain => "explain",
            Self::Bump => "bump",
            Self::Canary => "canary",
            Self::Rebase => "rebase",
            Self::Recreate => "recreate",
            Self::Hold => "hold",
            Self::Unhold => "unhold",
            Self::Ignore => "ignore",
            Self::Unignore => "unignore",
        }
    }

    /// The verb and the words that it takes. What stands in brackets may be left out.
    #[must_use]
    pub const fn usage(self) -> &'static str {
        match self {
            Self::Explain => "explain [VERSION]",
            Self::Bump => "bump VERSION",
            Self::Canary => "canary [VERSION]",
            Self::Hold => "hold [REASON]",
            Self::Ignore => "ignore this|minor|major|patch",
            Self::Help | Self::Rebase | Self::Recreate | Self::Unhold | Self::Unignore => {
                self.name()
            }
        }
    }

    /// The verb as somebody would write it, with all that it takes.
    #[must_use]
    pub const fn example(self) -> &'static str {
        match self {
            Self::Explain => "explain 3.10.4",
            Self::Bump => "bump 3.10.4",
            Self::Canary => "canary 3.10.4",
            Self::Hold => "hold until the release on Friday",
            Self::Ignore => "ignore major",
            Self::Help | Self::Rebase | Self::Recreate | Self::Unhold | Self::Unignore => {
                self.name()
            }
        }
    }

    /// The permission that it takes.
    #[must_use]
    pub const fn needs(self) -> Needs {
        match self {
            Self::Help | Self::Explain => Needs::Read,
            Self::Bump
            | Self::Canary
            | Self::Rebase
            | Self::Hold
            | Self::Unhold
            | Self::Ignore
            | Self::Unignore => Needs::Write,
            // It alone gives up the work of others.
            Self::Recreate => Needs::Maintain,
        }
    }

    /// What it does, in one sentence.
    #[must_use]
    pub const fn effect(self) -> &'static str {
        match self {
            Self::Help => "Lists the commands.",
            Self::Explain => {
                "Says all that was found out about a release: the one that this pull request \
                 proposes, unless a version is named."
            }
            Self::Bump => {
                "Asks for a release to be proposed: an offered patch, any release above the pin, \
                 or a MAJOR after its migration."
            }
            Self::Canary => {
                "Runs the contract canary again, at the version that this pull request proposes \
                 unless one is named; where the downstream's own checks are the canary, run them again \
                 at GitHub instead."
            }
            Self::Rebase => "Makes this pull request anew on the base branch of today.",
            Self::Recreate => {
                "Makes this pull request anew even if people committed to its branch: their \
                 commits are named first, then given up."
            }
            Self::Hold => {
                "Opens and rewrites no pull request until `unhold`; releases are still looked at."
            }
            Self::Unhold => "Ends the hold.",
            Self::Ignore => {
                "With `this`, closes this pull request and does not propose its release; with \
                 `minor`, `major` or `patch`, proposes and offers no such release."
            }
            Self::Unignore => "Makes everything count again that was ignored.",
        }
    }

    /// The verb that is written so, in capitals or not.
    pub(super) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.name().eq_ignore_ascii_case(word))
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_verb_is_one_lowercase_word_of_its_own() {
        let names: BTreeSet<_> = Verb::ALL.into_iter().map(Verb::name).collect();
        assert_eq!(names.len(), Verb::ALL.len());
        assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase())));
        for verb in Verb::ALL {
            assert_eq!(Verb::named(verb.name()), Some(verb));
            assert_eq!(Verb::named(&verb.name().to_ascii_uppercase()), Some(verb));
            for text in [verb.usage(), verb.example()] {
                assert_eq!(text.split(' ').next(), Some(verb.name()));
            }
        }
        // The Kelvin sign is a capital k, but no ASCII.
        for word in ["", "bumpy", "bum", "un hold", "\u{212a}"] {
            assert_eq!(Verb::named(word), None, "{word}");
        }
    }

    #[test]
    fn each_effect_is_one_sentence() {
        for verb in Verb::ALL {
            let effect = verb.effect();
            assert!(effect.starts_with(|c: char| c.is_ascii_uppercase()), "{effect}");
            assert!(effect.ends_with('.') && effect.matches(". ").count() == 0, "{effect}");
            assert!(!effect.contains(['\n', '|']) && !effect.contains("  "), "{effect}");
        }
    }

    #[test]
    fn permissions_include_the_smaller_ones() {
        assert!(Needs::Read < Needs::Write && Needs::Write < Needs::Maintain);
        let names = [Needs::Read, Needs::Write, Needs::Maintain].map(Needs::name);
        assert_eq!(names, ["read", "write", "maintain"]);
        let at = |needs| Verb::ALL.into_iter().filter(|it| it.needs() == needs).collect::<Vec<_>>();
        assert_eq!(at(Needs::Read), [Verb::Help, Verb::Explain]);
        assert_eq!(at(Needs::Maintain), [Verb::Recreate]);
    }
}
