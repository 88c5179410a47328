//! What upstream's contract document promises, as far as a version number says that it is kept: the
//! routes below `/admin/` with their fields, and the wire format.
//!
//! Read line by line, from tables, bullets and sentences alike. All of it is foreign text.

use super::Digest;
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

/// The contract document as it is at one of upstream's git tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractFacts {
    /// The tag.
    pub tag: String,
    /// What was found there.
    #[serde(flatten)]
    pub found: ContractFound,
}

/// What was found where the contract document should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "found", rename_all = "snake_case")]
pub enum ContractFound {
    /// The document.
    Document {
        /// sha256 over its bytes.
        digest: Digest,
        /// What it promises.
        terms: ContractTerms,
    },
    /// Nothing.
    Absent,
    /// Something that cannot be read as a document.
    Unreadable {
        /// Why, for a maintainer.
        why: String,
    },
}

/// What a contract document promises.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractTerms {
    /// The fields of each route below `/admin/`, which is written `GET /admin/peers`, or without a
    /// method where none is named.
    pub routes: BTreeMap<String, BTreeSet<String>>,
    /// sha256 over the words of its sections about the wire format, if it has any.
    pub wire: Option<Digest>,
}

/// Something that one document promises and a later one does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dropped {
    /// A route.
    Route(String),
    /// A field of a route.
    Field {
        /// The route.
        route: String,
        /// The field.
        field: String,
    },
    /// The wire format, as it was.
    Wire,
}

/// A method, if one stands before it, and a path.
static ROUTE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let method = r"\b(?P<method>GET|POST|PUT|PATCH|DELETE|HEAD)\b[\s`|*]*";
    Regex::new(&format!(r"(?:{method})?(?P<path>/admin(?:/[\w{{}}<>:*.-]+)+)")).ok()
});

impl ContractTerms {
    /// Reads a document. Never fails: what is not understood promises nothing.
    #[must_use]
    pub fn parse(markdown: &str) -> Self {
        let mut parser = Parser::default();
        for line in markdown.lines() {
            parser.line(line.trim());
        }
        let wire = parser.wire_words;
        Self { routes: parser.routes, wire: wire.map(|words| Digest::of(words.as_bytes())) }
    }

    /// Whether two spellings name the same route: a method may be left out.
    #[must_use]
    pub fn same(one: &str, other: &str) -> bool {
        let parts = |route: &'_ str| match route.split_once(' ') {
            Some((method, path)) => (Some(method.to_owned()), path.to_owned()),
            None => (None, route.to_owned()),
        };
        let ((a, one), (b, other)) = (parts(one), parts(other));
        one == other && (a.is_none() || b.is_none() || a == b)
    }

    /// The routes that a sentence names, and the names in backticks that it has.
    #[must_use]
    pub fn named_in(text: &str) -> (Vec<String>, Vec<String>) {
        let routes = routes(text).into_iter().map(|(route, _)| route);
        (routes.collect(), fields(text))
    }

    /// What `before` promises and this one does not.
    #[must_use]
    pub fn dropped_since(&self, before: &Self) -> Vec<Dropped> {
        let mut dropped = Vec::new();
        for (route, fields) in &before.routes {
            let kept: Vec<_> =
                self.routes.iter().filter(|(key, _)| Self::same(key, route)).collect();
            if kept.is_empty() {
                dropped.push(Dropped::Route(route.clone()));
                continue;
            }
            let gone = fields.iter().filter(|field| !kept.iter().any(|it| it.1.contains(*field)));
            dropped.extend(
                gone.map(|field| Dropped::Field { route: route.clone(), field: field.clone() }),
            );
        }
        if before.wire.is_some() && self.wire != before.wire {
            dropped.push(Dropped::Wire);
        }
        dropped
    }
}

/// Where the parser stands.
#[derive(Default)]
struct Parser {
    routes: BTreeMap<String, BTreeSet<String>>,
    wire_words: Option<String>,
    /// The level of the heading under which the wire format is.
    wire: Option<usize>,
    /// The headings above the line, with the routes that they name.
    above: Vec<(usize, Vec<String>)>,
    fenced: bool,
}

impl Parser {
    fn line(&mut self, line: &str) {
        let fence = line.starts_with("```") || line.starts_with("~~~");
        self.fenced ^= fence;
        if let (false, Some((level, title))) = (self.fenced, heading(line)) {
            self.heading(level, title);
            return;
        }
        if self.wire.is_some() {
            let words = self.wire_words.get_or_insert_default();
            for word in line.split(|c: char| c.is_whitespace() || "*_`|>#".contains(c)) {
                if word.contains(char::is_alphanumeric) {
                    words.push_str(word);
                    words.push('\n');
                }
            }
        }
        if !self.fenced && !fence {
            self.terms(line);
        }
    }

    fn heading(&mut self, level: usize, title: &str) {
        self.above.retain(|(outer, _)| *outer < level);
        let routes: Vec<String> = routes(title).into_iter().map(|(route, _)| route).collect();
        for route in &routes {
            self.routes.entry(route.clone()).or_default();
        }
        self.above.push((level, routes));
        if self.wire.is_some_and(|outer| level <= outer) {
            self.wire = None;
        }
        let lower = title.to_lowercase().replace('-', " ");
        let named = ["wire format", "wire protocol", "packet format"];
        if self.wire.is_none() && named.iter().any(|name| lower.contains(name)) {
            self.wire = Some(level);
            self.wire_words.get_or_insert_default();
        }
    }

    fn terms(&mut self, line: &str) {
        let named = routes(line);
        if let Some((_, end)) = named.first() {
            let fields = fields(&line[*end..]);
            for (route, _) in &named {
                self.routes.entry(route.clone()).or_default().extend(fields.iter().cloned());
            }
            return;
        }
        // Below a heading that names a route, a bullet or a row begins with a field's name.
        let listed = line.starts_with(['*', '-', '+', '|']);
        let first = fields(line).into_iter().next().filter(|_| listed);
        let above = self.above.iter().flat_map(|(_, routes)| routes);
        for (route, field) in above.zip(std::iter::repeat(first)) {
            self.routes.entry(route.clone()).or_default().extend(field);
        }
    }
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let rest = line.trim_start_matches('#');
    let level = line.len() - rest.len();
    ((1..=6).contains(&level) && rest.starts_with(' ')).then(|| (level, rest.trim()))
}

/// The routes that a line names, each with the byte at which it ends.
fn routes(line: &str) -> Vec<(String, usize)> {
    let Some(pattern) = &*ROUTE else { return Vec::new() };
    let mut routes = Vec::new();
    for found in pattern.captures_iter(line) {
        let Some(path) = found.name("path") else { continue };
        let text = path.as_str().trim_end_matches(['.', ':', '-']);
        // A file of that name is none, nor is "all of them".
        let word = line[..path.start()].rsplit(char::is_whitespace).next().unwrap_or_default();
        let inside = word.ends_with(|c: char| c.is_alphanumeric() || "_.-".contains(c));
        if text.contains('*') || (inside && !word.contains("://")) {
            continue;
        }
        let parameter = |part: &'_ str| part.starts_with([':', '{', '<']);
        let parts: Vec<&str> =
            text.split('/').map(|part| if parameter(part) { ":" } else { part }).collect();
        let path_text = parts.join("/");
        let route = match found.name("method") {
            Some(method) => format!("{} {path_text}", method.as_str()),
            None => path_text,
        };
        routes.push((route, path.end()));
    }
    routes
}

/// The names in backticks, in their order: identifiers, no values.
fn fields(text: &str) -> Vec<String> {
    const VALUES: [&str; 4] = ["null", "true", "false", "undefined"];
    let name = |span: &&str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_.[]".contains(c);
        span.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && span.chars().all(plain)
            && span.contains(|c: char| c.is_ascii_lowercase())
            && !VALUES.contains(span)
    };
    // What follows a route begins inside its backticks.
    let inside = usize::from(text.matches('`').count().is_multiple_of(2));
    text.split('`').skip(inside).step_by(2).filter(name).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "# Contract

- A field or an endpoint that is added below `/admin/` is a MINOR.
- Renaming anything below `/admin/*` is a MAJOR.

| method | route | answers with |
| --- | --- | --- |
| GET | `/admin/peers` | `id`, `relation`, `connected` (`true` or `false`) |
| POST | `/admin/peers` | `id` |

### `GET /admin/channels/{id}`

* `balance`: what is left of `deposit`, a `string`
* `state`: `OPEN` or `CLOSED`

Also `GET /admin/health`, see https://host:8081/admin/health. Its code is in src/admin/health.ts.

```sh
curl /admin/secret
```

## ILP wire format

Packets are **OER**.

### Prepare

Amounts are `u64`.

## Images
";

    fn dropped(from: &str, to: &str) -> Vec<String> {
        let after = DOCUMENT.replace(from, to);
        assert_ne!(after, DOCUMENT, "{from}");
        let dropped = ContractTerms::parse(&after).dropped_since(&ContractTerms::parse(DOCUMENT));
        let tell = |dropped: &Dropped| match dropped {
            Dropped::Route(route) => route.clone(),
            Dropped::Field { route, field } => format!("{field} of {route}"),
            Dropped::Wire => "wire".to_owned(),
        };
        dropped.iter().map(tell).collect()
    }

    #[test]
    fn routes_and_their_fields_are_read_from_tables_bullets_and_sentences() {
        let terms = ContractTerms::parse(DOCUMENT);
        let lines: Vec<String> = terms
            .routes
            .iter()
            .map(|(route, fields)| format!("{route}: {}", Vec::from_iter(fields.clone()).join(" ")))
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @"
        /admin/health: 
        GET /admin/channels/:: balance state
        GET /admin/health: 
        GET /admin/peers: connected id relation
        POST /admin/peers: id
        ");
        assert!(terms.wire.is_some());
        assert_eq!(ContractTerms::parse("# Contract\n\nThe wire format is a MAJOR.\n").wire, None);
    }

    #[test]
    fn what_is_promised_no_more_is_found() {
        for (from, to, expected) in [
            ("| POST | `/admin/peers` | `id` |\n", "", vec!["POST /admin/peers"]),
            ("`relation`, ", "", vec!["relation of GET /admin/peers"]),
            ("`relation`", "`kind`", vec!["relation of GET /admin/peers"]),
            ("* `balance`: what", "* `left`: what", vec!["balance of GET /admin/channels/:"]),
            ("/admin/channels/{id}", "/admin/links/{id}", vec!["GET /admin/channels/:"]),
            ("Packets are **OER**.", "Packets are CBOR.", vec!["wire"]),
            ("Amounts are `u64`.", "Amounts are `u128`.", vec!["wire"]),
            ("## ILP wire format", "## ILP", vec!["wire"]),
        ] {
            assert_eq!(dropped(from, to), expected, "{from}");
        }
    }

    #[test]
    fn what_is_said_in_other_words_is_still_promised() {
        for (from, to) in [
            ("`connected` (", "`since`, `connected` ("),
            ("| GET | `/admin/peers` | `id`", "| GET | **`/admin/peers`** | the `id`"),
            ("what is left of `deposit`, a `string`", "the amount, a `number`"),
            ("{id}", ":channel"),
            ("Also `GET /admin/health`", "Also `/admin/health`"),
            ("Packets are **OER**.", "Packets\nare  `OER`."),
            ("curl /admin/secret", "curl /admin/other"),
            ("src/admin/health.ts", "src/admin/status.ts"),
            ("Renaming anything below `/admin/*` is", "It is"),
            ("## Images", "## Images\n\n`linux/amd64`"),
        ] {
            assert_eq!(dropped(from, to), Vec::<String>::new(), "{from}");
        }
    }

    #[test]
    fn a_document_that_begins_to_speak_of_something_drops_nothing() {
        let (old, new) = (ContractTerms::default(), ContractTerms::parse(DOCUMENT));
        assert_eq!(new.dropped_since(&old), []);
        assert_eq!(new.dropped_since(&new), []);
        let all = old.dropped_since(&new);
        assert_eq!(all.len(), 6, "five routes and the wire format: {all:?}");
    }

    #[test]
    fn a_fact_is_read_as_it_was_written() {
        let terms = ContractTerms::parse(DOCUMENT);
        let digest = Digest::of(DOCUMENT.as_bytes());
        for found in [
            ContractFound::Document { digest, terms },
            ContractFound::Absent,
            ContractFound::Unreadable { why: "it is not UTF-8".to_owned() },
        ] {
            let fact = ContractFacts { tag: "v3.10.0".to_owned(), found };
            let text = serde_json::to_string(&fact).unwrap();
            assert_eq!(serde_json::from_str::<ContractFacts>(&text).unwrap(), fact, "{text}");
        }
    }
}
