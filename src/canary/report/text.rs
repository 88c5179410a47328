//! Foreign text from a report, made short and harmless to a terminal. What it may do to Markdown
//! or HTML is kept from it where it is rendered.

/// The longest message that is kept, in characters.
pub(super) const MAX_MESSAGE_CHARS: usize = 500;
/// The longest name of a test or a file that is kept, in characters.
pub(super) const MAX_NAME_CHARS: usize = 300;

/// The name of a test or a file, in one line.
pub(super) fn name(text: &str) -> String {
    line(text.chars(), MAX_NAME_CHARS)
}

/// What a failure said, in one line and without its call stack and the source around it: they say
/// where this machine keeps its files, and what everybody can read there.
pub(super) fn message(text: &str) -> String {
    let told = text.lines().filter(|line| !is_stack_frame(line) && !is_source(line));
    line(told.flat_map(|line| line.chars().chain(['\n'])), MAX_MESSAGE_CHARS)
}

fn is_stack_frame(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("at ") || line.starts_with('❯')
}

/// A line of source as Jest shows it: `> 2 | gone();`, and the mark below it.
fn is_source(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches('>').trim_start();
    line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start().starts_with('|')
}

/// One line: no colours, no control characters, nothing that turns the direction of text, and runs
/// of white space as one blank.
fn line(mut chars: impl Iterator<Item = char>, most: usize) -> String {
    let (mut out, mut length, mut gap) = (String::new(), 0, false);
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            skip_escape(&mut chars);
            continue;
        }
        if c.is_whitespace() {
            gap = true;
            continue;
        }
        if c.is_control() || is_invisible(c) {
            continue;
        }
        let wanted = 1 + usize::from(gap && length > 0);
        if length + wanted > most {
            out.push('…');
            break;
        }
        if wanted == 2 {
            out.push(' ');
        }
        out.push(c);
        length += wanted;
        gap = false;
    }
    out
}

/// The rest of an escape sequence: `[`, its parameters, and a letter.
fn skip_escape(chars: &mut impl Iterator<Item = char>) {
    if chars.next() == Some('[') {
        chars.find(|c| !(c.is_ascii_digit() || ";:?<=>".contains(*c)));
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_one_harmless_line() {
        for (text, expected) in [
            ("plain", "plain"),
            ("  two\n\n\tlines  ", "two lines"),
            ("\u{1b}[31mred\u{1b}[39m and \u{1b}[1;2mbold", "red and bold"),
            ("bell\u{7}, nul\0, turned\u{202e}", "bell, nul, turned"),
            (
                "expected 1\n    at Object.<anonymous> (/x/a.js:1:2)\n ❯ a.js:1:2\nto be 2",
                "expected 1 to be 2",
            ),
            ("no x\n\n > 1 | x();\n     | ^\n   2 |\n", "no x"),
            ("cut off \u{1b}[", "cut off"),
            ("\u{1b}", ""),
            ("at Object.<anonymous> (/x/a.js:1:2)", ""),
        ] {
            assert_eq!(message(text), expected, "{text:?}");
        }
        assert_eq!(name("at the end"), "at the end");
    }

    #[test]
    fn text_has_an_end() {
        assert_eq!(message(&"é".repeat(500)), "é".repeat(500));
        assert_eq!(message(&"é".repeat(501)), "é".repeat(500) + "…");
        assert_eq!(name(&"a b ".repeat(1000)).chars().count(), MAX_NAME_CHARS);
    }
}
