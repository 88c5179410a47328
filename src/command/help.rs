//! The help, made from the table of verbs.

use super::mistake::MAX_COMMANDS;
use super::{Grammar, Verb, quote};
use std::fmt::Write as _;

/// What can be written and by whom, in Markdown: the answer to `help`. It contains no line that is
/// itself a command.
#[must_use]
pub fn help(grammar: &Grammar) -> String {
    let prefix = quote::code(&grammar.prefix);
    let begins = match &grammar.mention {
        Some(mention) => format!("{prefix} or {}", quote::code(&format!("@{mention}"))),
        None => prefix,
    };
    let mut out = format!(
        "A command is a line of a comment that begins with {begins}.\n\n\
         | command | what it does | permission |\n| --- | --- | --- |\n"
    );
    for verb in Verb::ALL {
        // Even in a code span, a bar would end the cell.
        let usage = grammar.code(verb.usage()).replace('|', "\\|");
        let _ = writeln!(out, "| {usage} | {} | {} |", verb.effect(), verb.needs());
    }
    let example = Verb::Bump.example();
    let short = example.strip_prefix(Verb::Bump.name()).unwrap_or(example).trim_start();
    let _ = write!(
        out,
        "\nInstead of {}, {} is enough. What stands in brackets may be left out.\n\n\
         Commands in quotes, code, lists, tables and the like are not read, and no more than \
         {MAX_COMMANDS} of one comment.\n",
        grammar.code(example),
        grammar.code(short),
    );
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Command, parse};
    use super::*;

    #[test]
    fn each_verb_stands_in_the_help_with_its_permission() {
        let help = help(&Grammar::usual());
        for verb in Verb::ALL {
            let usage = verb.usage().replace('|', "\\|");
            let row = format!("| `/bump {usage}` | {} | {} |\n", verb.effect(), verb.needs());
            assert!(help.contains(&row), "{row}");
        }
        let rows: Vec<_> = help.lines().filter(|line| line.starts_with('|')).collect();
        assert_eq!(rows.len(), Verb::ALL.len() + 2);
        for row in rows {
            assert_eq!(row.replace("\\|", "").matches('|').count(), 4, "{row}");
        }
    }

    #[test]
    fn the_help_says_how_a_command_begins_and_is_none() {
        let usual = help(&Grammar::usual());
        assert!(usual.starts_with(
            "A command is a line of a comment that begins with `/bump` or `@digest-bump`.\n"
        ));
        // The docs wrap text, a comment must not: there each line end is one to the reader.
        assert!(usual.lines().all(|line| line.starts_with('|') || line.len() <= 120), "{usual}");
        assert!(usual.contains("Instead of `/bump bump 3.10.4`, `/bump 3.10.4` is enough."));
        assert_eq!(parse(&usual, &Grammar::usual()), []);
        let other = Grammar { prefix: "/pin".to_owned(), mention: None };
        let help = help(&other);
        assert!(help.starts_with("A command is a line of a comment that begins with `/pin`.\n"));
        assert!(!help.contains("/bump") && !help.contains('@'), "{help}");
        assert_eq!(parse(&help, &other), []);
    }

    #[test]
    fn the_short_form_that_the_help_names_is_one() {
        let said = parse("/bump 3.10.4\n/bump bump 3.10.4", &Grammar::usual());
        let said: Vec<_> = said.into_iter().map(|line| line.said.unwrap()).collect();
        assert_eq!(said, vec![Command::Bump("3.10.4".parse().unwrap()); 2]);
    }
}
