//! What a pull request says above everything else, once something happened after it was written.

/// GitHub shows a quotation that begins so as a warning.
const OPEN: &str = "> [!WARNING]\n";

/// `body` under a warning, in place of one that stands there already. `proposed` are the digests
/// whose tags it is about; none, if it is about no tag.
#[must_use]
pub fn under_warning(warning: &str, proposed: &[String], body: &str) -> String {
    let rest = match body.strip_prefix(OPEN) {
        Some(warned) => warned.split_once("\n\n").map_or("", |(_, rest)| rest),
        None => body,
    };
    if proposed.is_empty() {
        return format!(
            "{OPEN}> **Look before you merge: {warning}.** What this pull request tells of the \
             canary was found out before that.\n\n{rest}"
        );
    }
    let digests: Vec<String> = proposed.iter().map(|digest| format!("`{digest}`")).collect();
    let digests = digests.join(" and ");
    format!(
        "{OPEN}> **Look before you merge: {warning}.** This pull request still proposes {digests}, \
         which is what was verified and what the canary saw; it is not moved to anything else. Find \
         out who moved the tag, and why.\n\n{rest}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_warning_and_the_rest_stays_as_it_was() {
        let body = "**a bump**\n\n> quoted\n\n<!-- marker -->";
        let digests = ["sha256:a".to_owned()];
        let first = under_warning("the tag moved", &digests, body);
        assert!(first.starts_with("> [!WARNING]\n> **Look before you merge: the tag moved.** "));
        assert!(first.ends_with(&format!("\n\n{body}")));
        assert_eq!(under_warning("the tag moved", &digests, &first), first);
        let second = under_warning("the tag moved again", &digests, &first);
        assert_eq!(second.matches("[!WARNING]").count(), 1);
        assert!(second.contains("moved again") && second.ends_with(&format!("\n\n{body}")));
    }
}
