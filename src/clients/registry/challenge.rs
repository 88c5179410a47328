//! `WWW-Authenticate` (RFC 9110, section 11.6.1) with the `Bearer` scheme as registries use it
//! (distribution specification, "Token authentication").

/// Where a token is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bearer {
    /// The URL of the token server.
    pub(super) realm: String,
    /// The name under which the token server knows the registry.
    pub(super) service: Option<String>,
}

/// Finds the first `Bearer` challenge that names a realm. The scope that the registry suggests is
/// not read: the bot asks for what it needs and nothing more.
pub(super) fn bearer(header: &str) -> Option<Bearer> {
    challenges(header)
        .into_iter()
        .filter(|challenge| challenge.scheme.eq_ignore_ascii_case("bearer"))
        .find_map(|challenge| {
            Some(Bearer { realm: challenge.value("realm")?, service: challenge.value("service") })
        })
}

struct Challenge<'a> {
    scheme: &'a str,
    parameters: Vec<(&'a str, String)>,
}

impl Challenge<'_> {
    fn value(&self, name: &str) -> Option<String> {
        let (_, value) =
            self.parameters.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(value.clone())
    }
}

/// One header may carry several challenges, with the same commas between them as between their
/// parameters: a word with `=` after it is a parameter, any other word starts a challenge.
fn challenges(header: &str) -> Vec<Challenge<'_>> {
    let mut found: Vec<Challenge<'_>> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
        let end = rest
            .find(|c: char| matches!(c, ',' | '=' | '"') || c.is_whitespace())
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            // Not the grammar; what was understood so far still counts.
            return found;
        }
        let Some(value) = after.trim_start().strip_prefix('=') else {
            found.push(Challenge { scheme: word, parameters: Vec::new() });
            rest = after;
            continue;
        };
        let (value, after) = read_value(value.trim_start());
        if let Some(challenge) = found.last_mut() {
            challenge.parameters.push((word, value));
        }
        rest = after;
    }
}

/// Reads a token or a quoted string, and returns what follows it.
fn read_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| c == ',' || c.is_whitespace()).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut escaped = false;
    for (at, c) in quoted.char_indices() {
        match c {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            '"' if !escaped => return (value, &quoted[at + 1..]),
            _ => value.push(c),
        }
        escaped = false;
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(header: &str) -> Option<(String, Option<String>)> {
        bearer(header).map(|bearer| (bearer.realm, bearer.service))
    }

    #[test]
    fn the_bearer_challenge_is_found_in_any_spelling() {
        let ghcr =
            r#"Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:o/r:pull""#;
        let expected = Some(("https://ghcr.io/token".to_owned(), Some("ghcr.io".to_owned())));
        for header in [
            ghcr,
            &ghcr.replacen("Bearer", "bearer", 1),
            &ghcr.replace(',', " , ").replace('=', " = "),
            &format!(r#"Basic realm="x", {ghcr}"#),
            &format!("Negotiate, {ghcr}, Digest a=b"),
            r#"Bearer scope="a,b=c \" d",realm=https://ghcr.io/token,SERVICE=ghcr.io"#,
        ] {
            assert_eq!(found(header), expected, "{header}");
        }
    }

    #[test]
    fn what_is_no_bearer_challenge_is_none() {
        for header in [
            "",
            "Basic realm=\"x\"",
            "Bearer",
            "Bearer service=\"x\"",
            "=",
            "\"",
            ",,,",
            "realm=\"x\"",
        ] {
            assert_eq!(found(header), None, "{header}");
        }
        assert_eq!(found("Bearer realm=\"open").unwrap().0, "open");
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic_or_run_for_ever(text: String, odd in "[Bearer=\\\\\", é]{0,60}") {
            let _ = bearer(&text);
            let _ = bearer(&odd);
        }
    }
}
