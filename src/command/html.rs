//! Whether raw HTML in a comment still encloses what follows it.

use std::collections::BTreeMap;

/// Elements that have no content, and therefore no end tag (HTML, "void elements").
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];

/// The elements that GitHub keeps in a comment. Of all others it drops the tags and shows the text, as
/// of a `Vec<String>` that somebody wrote without backticks; so they enclose nothing.
/// Source: the allow list of github/markup's sanitizer, and `script` and `style`, whose content goes
/// with them.
const KEPT: [&str; 66] = [
    "a",
    "abbr",
    "b",
    "bdo",
    "blockquote",
    "caption",
    "cite",
    "code",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "h7",
    "h8",
    "i",
    "ins",
    "kbd",
    "li",
    "mark",
    "math",
    "ol",
    "p",
    "picture",
    "pre",
    "q",
    "rp",
    "rt",
    "ruby",
    "s",
    "samp",
    "script",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "style",
    "sub",
    "summary",
    "sup",
    "svg",
    "table",
    "tbody",
    "td",
    "template",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "tt",
    "ul",
    "var",
];

/// The HTML elements that are open at a place of a document.
///
/// It counts tags by their names rather than build a tree: it is to be sure that nothing encloses
/// a place, and where start and end tags do not match, nobody is.
#[derive(Debug, Default)]
pub(super) struct Enclosing {
    /// How many elements of each name are open.
    open: BTreeMap<String, usize>,
    /// A comment or a tag was begun and not finished.
    broken: bool,
}

impl Enclosing {
    /// Whether a place is inside an element or a comment.
    pub(super) fn any(&self) -> bool {
        self.broken || !self.open.is_empty()
    }

    /// Goes past one piece of HTML: a block, or an inline tag. What it leaves unfinished encloses
    /// all the rest of the document, since nobody can say where a browser would end it.
    pub(super) fn pass(&mut self, html: &str) {
        let mut rest = html;
        while let Some((_, after)) = rest.split_once('<') {
            let Some(next) = self.markup(after) else {
                self.broken = true;
                return;
            };
            rest = next;
        }
    }

    /// What follows the markup whose `<` was read; `None` if it does not end.
    fn markup<'a>(&mut self, after: &'a str) -> Option<&'a str> {
        if let Some(comment) = after.strip_prefix("!--") {
            // `<!-->` and `<!--->` are whole comments.
            if let Some(rest) = comment.strip_prefix('>').or_else(|| comment.strip_prefix("->")) {
                return Some(rest);
            }
            // With dashes in it, a comment is one to this parser, and not in every place to GitHub.
            let (hidden, rest) = comment.split_once("-->")?;
            return (!hidden.contains("--") || !hidden.contains('<')).then_some(rest);
        }
        let (end, name) = after.strip_prefix('/').map_or((false, after), |name| (true, name));
        if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let stop = |c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>');
            let (name, attributes) = name.split_at(name.find(stop)?);
            let rest = past_attributes(attributes)?;
            self.count(name.to_ascii_lowercase(), end);
            return Some(rest);
        }
        if end || after.starts_with(['!', '?']) {
            // Declarations and the like: browsers take them for comments up to the next `>`, and
            // GitHub takes some of them for text, in which a tag counts.
            let (hidden, rest) = after.split_once('>')?;
            return (!hidden.contains('<')).then_some(rest);
        }
        // A `<` that is only a character.
        Some(after)
    }

    /// Counts a tag. A slash at its end says nothing in HTML, as in `<p/>`.
    fn count(&mut self, name: String, end: bool) {
        if VOID.contains(&name.as_str()) || !KEPT.contains(&name.as_str()) {
            return;
        }
        if !end {
            *self.open.entry(name).or_default() += 1;
        } else if let Some(count) = self.open.get_mut(&name) {
            *count -= 1;
            if *count == 0 {
                self.open.remove(&name);
            }
        }
    }
}

/// What follows a tag of which the name was read. A `>` in a quoted value does not end it.
fn past_attributes(text: &str) -> Option<&str> {
    let (mut value_next, mut quote, mut in_value) = (false, None, false);
    for (at, c) in text.char_indices() {
        if let Some(open) = quote {
            if c == open {
                quote = None;
            }
        } else if c == '>' {
            return text.get(at + 1..);
        } else if c.is_ascii_whitespace() {
            in_value = false;
        } else if value_next {
            // Quotes mean something only where a value begins.
            value_next = false;
            quote = matches!(c, '"' | '\'').then_some(c);
            in_value = quote.is_none();
        } else {
            value_next = c == '=' && !in_value;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encloses(html: &str) -> bool {
        let mut enclosing = Enclosing::default();
        enclosing.pass(html);
        enclosing.any()
    }

    #[test]
    fn what_is_closed_encloses_nothing() {
        for html in [
            "",
            "a < b, b > a, <3",
            "<b>x</b>",
            "<DETAILS open><Summary>x</summary></details\n>",
            "<b><i></b></i>",
            "<br><br/><img src='x'><HR>",
            "<!-- <b> --><!--> <!---> <!-- > -- -->",
            "Vec<String>, <version>",
            "<!DOCTYPE html><?php echo ?></ x></>",
            "</b>",
            "<a title=\"<b>\" href='>'></a>",
            "<a title = \"a>b\"></a>",
            "<a b==\"></a>",
            "<a b=c\"></a>",
            "<a b\"></a>",
        ] {
            assert!(!encloses(html), "{html}");
        }
    }

    #[test]
    fn what_is_open_or_unfinished_encloses_the_rest() {
        for html in [
            "<b>",
            "<b></i>",
            "</b><b>",
            "<b><b></b>",
            "<p/>",
            "<ul><li></ul>",
            "<!-- a",
            "<!-- <b></b> --",
            "<details",
            "<details open",
            "<a title=\"></a>",
            "<a title='\"></a>",
            "<?php",
            "<!a <b>",
            "<b><?a </b>",
            "<!-- -- <b> -->",
            "</",
        ] {
            assert!(encloses(html), "{html}");
        }
    }

    #[test]
    fn pieces_are_taken_together_and_an_unfinished_one_is_never_made_good() {
        let mut enclosing = Enclosing::default();
        enclosing.pass("<details>");
        assert!(enclosing.any());
        enclosing.pass("</details>");
        assert!(!enclosing.any());
        enclosing.pass("<details");
        enclosing.pass("></details>");
        assert!(enclosing.any());
    }
}
