//! From a comment to its commands.

use super::mistake::MAX_COMMANDS;
use super::{Grammar, Line, Mistake, quote, text, words};
use std::borrow::Cow;

/// So much of a line is kept as it was written, in characters.
const MAX_LINE: usize = 100;

/// The commands of a comment, in order: each line of ordinary text that begins with the prefix or
/// with a mention. Quotes, code, lists, tables, links, headings, footnotes and HTML give none.
/// After ten there is one mistake more that says so.
#[must_use]
pub fn parse(body: &str, grammar: &Grammar) -> Vec<Line> {
    let body = with_plain_ends(body);
    let lines = text::ordinary_lines(&body).into_iter();
    let addressed = lines.filter_map(|line| Some((line, grammar.addressed(line)?)));
    let read = addressed.take(MAX_COMMANDS + 1).enumerate().map(|(at, (line, said))| Line {
        text: quote::one_line(line, MAX_LINE),
        said: if at < MAX_COMMANDS {
            words::command(said, grammar)
        } else {
            Err(Mistake::too_many())
        },
    });
    read.collect()
}

/// The text with `\n` at the end of each line. Browsers send `\r\n`; to GitHub a `\r` alone ends
/// a line too, of which not every Markdown parser thinks everywhere.
fn with_plain_ends(body: &str) -> Cow<'_, str> {
    if body.contains('\r') {
        Cow::Owned(body.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(body)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, Verb};
    use super::*;
    use crate::domain::{HowToAsk, Wish};

    fn usual(body: &str) -> Vec<Line> {
        parse(body, &Grammar::usual())
    }

    #[test]
    fn the_commands_of_a_comment_come_in_order() {
        let body = "Thanks!\r\n\r\n/bump Rebase\r\n  @digest-bump[bot] hold `x`\\\r\n/bumpy\r\n\
                    /bump rebse\r\n> /bump canary\r\n\r\n/Bump";
        let said = usual(body).into_iter().map(|line| (line.text, line.said.map_err(|it| it.why)));
        let mistake = "`rebse` is no command. Did you mean `/bump rebase`?".to_owned();
        let expected = [
            ("/bump Rebase", Ok(Command::Rebase)),
            ("@digest-bump[bot] hold `x`", Ok(Command::Hold(Some("`x`".to_owned())))),
            ("/bump rebse", Err(mistake)),
            ("/Bump", Ok(Command::Help)),
        ];
        assert_eq!(said.collect::<Vec<_>>(), expected.map(|(text, said)| (text.to_owned(), said)));
    }

    #[test]
    fn lines_end_as_they_end_on_github() {
        for body in ["a\r/bump\rb", "a\r\n/bump\r\nb", "> a\r\r/bump", "/bump\\\rb", "/bump  \r\n"]
        {
            let texts: Vec<_> = usual(body).into_iter().map(|line| line.text).collect();
            assert_eq!(texts, ["/bump"], "{body:?}");
        }
        for body in ["> a\r/bump", "/bump\r===", "a\r/bump\r|-|\r", "```\r/bump\r```"] {
            assert_eq!(usual(body), [], "{body:?}");
        }
    }

    #[test]
    fn an_eleventh_command_is_one_mistake_and_a_twelfth_is_nothing() {
        for (count, mistakes) in [(9, 0), (10, 0), (11, 1), (12, 1), (5_000, 1)] {
            let lines = usual(&"/bump rebase\n".repeat(count));
            let (ok, bad): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.said.is_ok());
            assert_eq!((ok.len(), bad.len()), (count.min(10), mistakes));
            assert!(bad.is_empty() || lines[10].said == Err(Mistake::too_many()));
        }
    }

    #[test]
    fn a_long_line_is_kept_in_part() {
        let line = usual(&format!("/bump hold {}\u{202e}", "é`".repeat(200))).remove(0);
        assert_eq!(line.text.chars().count(), 100);
        assert!(line.text.starts_with("/bump hold é`é") && line.text.ends_with('…'));
        let line = usual("/bump\u{a0}hold \u{202e}a\0").remove(0);
        assert_eq!(line.text, "/bump hold \u{fffd}a\u{fffd}");
    }

    #[test]
    fn what_quotes_a_command_in_an_answer_by_mail_executes_nothing() {
        let mail = "Fine.\n\nOn Mon, 1 Dec 2025, somebody wrote:\n> /bump 3.10.4\n>\n> /bump hold\n\
                    > Reply to this email directly\n/bump unhold\n";
        assert_eq!(usual(mail), []);
    }

    #[test]
    fn each_example_is_a_command_of_its_verb_in_any_spelling() {
        for verb in Verb::ALL {
            let (words, capitals) = (verb.example(), verb.example().to_ascii_uppercase());
            for start in ["/bump", "@digest-bump", "@digest-bump[bot]"] {
                for body in [format!("{start} {words}"), format!("{start}  {capitals}.\r\n")] {
                    let said: Vec<_> = usual(&body).into_iter().map(|line| line.said).collect();
                    assert_eq!(said[0].as_ref().map(Command::verb), Ok(verb), "{body}");
                    assert_eq!(said.len(), 1);
                }
            }
        }
    }

    #[test]
    fn what_texts_tell_readers_to_write_is_a_command() {
        let how = HowToAsk::Comment { prefix: Grammar::usual().prefix };
        let wished = Wish::ALL.map(|wish| (how.say(wish, "3.10.4"), wish.name()));
        let help = (how.help().unwrap(), Verb::Help.name());
        let explain = ["", "3.10.4"].map(|words| (how.explain(words), Verb::Explain.name()));
        for (code, name) in wished.into_iter().chain([help]).chain(explain) {
            let said = usual(code.trim_matches('`')).remove(0).said.unwrap();
            assert_eq!(said.verb().name(), name, "{code}");
        }
    }

    #[test]
    fn what_html_encloses_is_no_command() {
        for body in [
            "<!-- /bump -->",
            "<!--\n/bump\n-->",
            "<!--\n\n/bump",
            "a <!--\n/bump\n-->",
            "<div>/bump</div>",
            "<div>\n/bump\n</div>",
            "<details>\n\n/bump\n\n</details>",
            "<details><summary>a</summary>\n\n/bump\n\n</details>",
            "<BlockQuote>\n\n- a\n\n/bump\n\n</blockquote>",
            "a <b>\n/bump\n</b>",
            "<b>\n\n> </i>\n\n/bump",
            "- <details>\n\n/bump",
            "> <!--\n\n/bump",
            "# <del>\n/bump",
            "| <del> |\n| - |\n\n/bump",
            "<div title=\"\n\n/bump\n\n\">",
            "<pre>\n\n/bump\n</pre>",
            "<script>\n/bump\n</script>",
            "<?a\n/bump\n?>",
            "<!A\n/bump\n>",
            "<![CDATA[\n/bump\n]]>",
            "a <c d='\n/bump\n'>",
        ] {
            assert_eq!(usual(body), [], "{body}");
        }
    }
}
