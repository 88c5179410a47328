//! Foreign text, made fit to be shown.

/// So many characters of a foreign word are quoted.
const MAX_QUOTED: usize = 40;

/// The text in one line without any character that cannot be seen, cut to `max` characters.
pub(super) fn one_line(text: &str, max: usize) -> String {
    let mut chars = text.trim().chars();
    let mut out: String = chars.by_ref().take(max).map(seen).collect();
    if chars.next().is_some() {
        out.pop();
        out.push('…');
    }
    out
}

/// The beginning of a foreign text as a code span. In one, nobody is mentioned.
pub(super) fn quoted(text: &str) -> String {
    code(&one_line(text, MAX_QUOTED))
}

/// A code span of a text that is one line. Nothing in it ends the span.
pub(super) fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'"))
}

/// The character, or what stands for it if it is not seen, or turns the order of others.
fn seen(c: char) -> char {
    let unseen = c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{e0000}'..='\u{e007f}');
    match c {
        c if c.is_whitespace() => ' ',
        _ if unseen => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_one_line_that_can_be_seen() {
        for (text, shown) in [
            ("rebase", "rebase"),
            (" a\tb\u{85}c\u{2028}d\r\n", "a b c d"),
            ("a\0\u{1b}[31m", "a��[31m"),
            ("\u{202e}esaber\u{200b}", "�esaber�"),
            ("👩\u{200d}💻 é", "👩\u{200d}💻 é"),
        ] {
            assert_eq!(one_line(text, 40), shown);
        }
        assert_eq!(one_line("éééé", 4), "éééé");
        assert_eq!(one_line("ééééé", 4), "ééé…");
    }

    #[test]
    fn a_quotation_stays_in_its_code_span() {
        assert_eq!(quoted("a`b``@owner"), "`a'b''@owner`");
        assert_eq!(quoted(&"@".repeat(99)), format!("`{}…`", "@".repeat(39)));
    }
}
