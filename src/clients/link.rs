//! `Link` headers (RFC 8288): where the next page of a list is.

use http::{HeaderMap, header::LINK};

/// The target with the relation `next`, as the server spells it; `None` if it names none. Where it
/// may lead is for the client of the service to say.
pub(super) fn next(headers: &HeaderMap) -> Option<String> {
    let all: Vec<&str> =
        headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).collect();
    link_target(&all.join(", "), "next").map(str::to_owned)
}

/// Finds the target with a relation in a `Link` header (RFC 8288).
fn link_target<'a>(header: &'a str, relation: &str) -> Option<&'a str> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        let end = end_of_link(after);
        let has_relation = after[..end].split(';').any(|parameter| {
            parameter.split_once('=').is_some_and(|(name, value)| {
                name.trim().eq_ignore_ascii_case("rel")
                    && value
                        .trim()
                        .trim_matches('"')
                        .split_whitespace()
                        .any(|word| word.eq_ignore_ascii_case(relation))
            })
        });
        if has_relation {
            return Some(target);
        }
        rest = &after[end..];
    }
    None
}

/// Where the parameters of one link end: at the first comma outside of quotes.
fn end_of_link(parameters: &str) -> usize {
    let mut quoted = false;
    parameters
        .char_indices()
        .find(|(_, c)| {
            quoted ^= *c == '"';
            *c == ',' && !quoted
        })
        .map_or(parameters.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_next_page_is_found_among_links() {
        let next = |header| link_target(header, "next");
        assert_eq!(
            next(r#"<https://a/?page=2>; rel="next", <https://a/?page=9>; rel="last""#),
            Some("https://a/?page=2")
        );
        assert_eq!(
            next(
                r#"<https://a/?a=1,2>; rel="prev", <https://a/?page=3>; title="x, <y>"; rel=next"#
            ),
            Some("https://a/?page=3")
        );
        assert_eq!(next(r#"<https://a>; REL="prefetch NEXT""#), Some("https://a"));
        assert_eq!(next(r#"<https://a>; rel="nextish""#), None);
        assert_eq!(next("<https://a; rel=next"), None);
        assert_eq!(next(""), None);
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(text: String) {
            let _ = link_target(&text, "next");
        }

        #[test]
        fn links_of_odd_shape_do_not_panic(text in "[<>;, =\"relnxté]{0,40}") {
            let _ = link_target(&text, "next");
        }
    }
}
