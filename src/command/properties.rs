//! What holds for every comment.

use super::{Command, Grammar, Line, Verb};
use crate::domain::IgnoreScope;
use proptest::prelude::*;

fn usual(body: &str) -> Vec<Line> {
    super::parse(body, &Grammar::usual())
}

// Whatever is not linear takes minutes here. A clock would only make it fail on a busy machine.
#[test]
fn much_of_anything_takes_no_time_to_speak_of() {
    for piece in [
        ">",
        "> ",
        "*",
        "[",
        "![",
        "](",
        "<",
        "<b>",
        "</b>",
        "<b ",
        "<!--",
        "`",
        "`a",
        "~",
        "\\",
        "&",
        "|",
        "- ",
        "- [ ] ",
        "1. ",
        "\n",
        "\r",
        " ",
        "\t",
        "\0",
        "a\n",
        "/bump ",
        "/bump rebase\n",
        "/bump hold <a>\n",
        "[^1]: ",
        "[a]: b\n",
        "a|-\n-|-\n",
        "<a b=\"",
        "*a_ ",
        "\u{3000}",
        "🦀",
    ] {
        for start in ["", "a\n/bump hold "] {
            let body = format!("{start}{}", piece.repeat((1 << 16) / piece.len()));
            assert!(usual(&body).len() <= 11, "{piece}");
        }
    }
}

/// Text in which Markdown happens.
fn markdown() -> impl Strategy<Value = String> {
    let pieces = [
        "/bump 3.10.4",
        "/bump",
        "@digest-bump rebase",
        " ",
        "   ",
        "    ",
        "\t",
        "\n",
        "\n\n",
        "\r\n",
        "\r",
        "> ",
        "- ",
        "1. ",
        "# ",
        "===",
        "---",
        "|",
        "|-|",
        "`",
        "```",
        "~~~",
        "<b>",
        "</b>",
        "<details>\n",
        "<!--",
        "-->",
        "[",
        "](x)",
        "[^1]: ",
        "[a]: ",
        "*",
        "\\",
        "&#47;",
        "\u{a0}",
        "\u{200b}",
        "\0",
        "a",
    ];
    let piece = prop_oneof![6 => prop::sample::select(pieces.to_vec()).prop_map(str::to_owned),
        1 => any::<String>()];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn command() -> impl Strategy<Value = Command> {
    let version = ((0u64..99, 0u64..99, 0u64..99), "(-[a-z]{1,4}(\\.[1-9])?)?(\\+[a-z]{1,3})?")
        .prop_map(|((a, b, c), end)| format!("{a}.{b}.{c}{end}").parse().unwrap());
    let reason = "[!-~äé🦀]{1,9}( [!-~äé🦀]{1,9}){0,9}";
    // A reason that is nothing but courtesy is none.
    let reason = reason.prop_filter("says something", |it| it.contains(char::is_alphanumeric));
    (
        prop::sample::select(&Verb::ALL[..]),
        version,
        prop::option::of(reason),
        prop::sample::select(&IgnoreScope::ALL[..]),
        any::<bool>(),
    )
        .prop_map(|(verb, version, reason, scope, named)| match verb {
            Verb::Help => Command::Help,
            Verb::Explain => Command::Explain(named.then_some(version)),
            Verb::Bump => Command::Bump(version),
            Verb::Canary => Command::Canary(named.then_some(version)),
            Verb::Rebase => Command::Rebase,
            Verb::Recreate => Command::Recreate,
            Verb::Hold => Command::Hold(reason),
            Verb::Unhold => Command::Unhold,
            Verb::Ignore => Command::Ignore(scope),
            Verb::Unignore => Command::Unignore,
        })
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(any: String, body in markdown()) {
        let _ = (usual(&any), usual(&format!("/bump {any}")));
        for line in usual(&body) {
            prop_assert!(line.text.chars().count() <= 100);
            prop_assert!(!line.text.contains(char::is_control));
        }
    }

    #[test]
    fn a_mistake_mentions_nobody_and_is_one_line(word in "[^\\s]{1,60}", tail: String) {
        for line in usual(&format!("/bump @{word} {tail}\n/bump ignore {word}@a")) {
            let Err(mistake) = line.said else { continue };
            // Outside code spans, that is.
            let prose: String = mistake.why.split('`').step_by(2).collect();
            prop_assert!(!prose.contains('@') && prose.is_ascii(), "{}", prose);
            prop_assert_eq!(mistake.why.matches('`').count() % 2, 0);
            prop_assert!(!mistake.why.contains(char::is_control));
            prop_assert!(mistake.why.chars().count() < 250);
        }
    }

    #[test]
    fn nothing_in_a_quote_is_a_command(body in markdown()) {
        let lines = body.replace("\r\n", "\n").replace('\r', "\n");
        let quote: String = lines.split('\n').flat_map(|line| ["> ", line, "\n"]).collect();
        prop_assert_eq!(usual(&quote), []);
    }

    #[test]
    fn nothing_in_a_fence_is_a_command(body in markdown()) {
        let longest = body.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        let fenced = format!("{fence}\n{body}\n{fence}");
        prop_assert_eq!(usual(&fenced), []);
        // And after it, text is text again.
        prop_assert_eq!(usual(&format!("{fenced}\n\n/bump")).len(), 1);
    }

    #[test]
    fn nothing_in_an_open_element_is_a_command(body in markdown()) {
        // Its own end tags would end it.
        let body = body.replace("</b>", "");
        let hidden = format!("<b>\n\n{body}");
        prop_assert_eq!(usual(&hidden), []);
    }

    #[test]
    fn each_command_is_read_as_it_is_spelled(asked in command()) {
        let body = Grammar::usual().spell(&asked);
        let said: Vec<_> = usual(&body).into_iter().map(|line| line.said).collect();
        prop_assert_eq!(said, [Ok(asked)]);
    }
}
