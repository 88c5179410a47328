//! What a reader of Markdown sees of a text, by another parser than the bot's own eyes: whether
//! foreign words can reach out of the place that they were given.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use regex::Regex;
use std::sync::LazyLock;

/// What GitHub makes a mention, a reference or a link of by itself.
static REACHES_OUT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)@[a-z0-9]|#[0-9]|\bgh-[0-9]|://|\bwww\.[a-z0-9]")
        .expect("a regular expression")
});

/// What a parser finds in a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// How many tags, comments and the like there are.
    pub tags: usize,
    /// Where the links and pictures lead, in their order.
    pub targets: Vec<String>,
    /// How many cells the tables have.
    pub cells: usize,
    /// How many headings and rules there are.
    pub breaks: usize,
}

/// Looks at `markdown`, and fails on text outside code that would reach out.
pub fn look(markdown: &str) -> Seen {
    let (mut seen, mut text) = (Seen::default(), String::new());
    let mut code = false;
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    for event in Parser::new_ext(markdown, options) {
        match event {
            Event::Text(part) if !code => text.push_str(&part),
            Event::Html(part) | Event::InlineHtml(part) => seen.tags += part.matches('<').count(),
            Event::Start(Tag::CodeBlock(_)) => code = true,
            Event::End(TagEnd::CodeBlock) => code = false,
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                seen.targets.push(dest_url.into_string());
            }
            Event::Start(Tag::TableCell) => {
                seen.cells += 1;
                text.push('\n');
            }
            Event::Start(Tag::Heading { .. }) | Event::Rule => seen.breaks += 1,
            // Two words that are not beside each other make no mention.
            Event::Code(_)
            | Event::SoftBreak
            | Event::HardBreak
            | Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::Heading(_)) => text.push('\n'),
            _ => {}
        }
    }
    if let Some(found) = REACHES_OUT.find(&text) {
        panic!("{:?} reaches out of {markdown:?}", found.as_str());
    }
    seen
}
