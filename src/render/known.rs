//! What is known of a version besides what was observed, for whoever asks about it.

use crate::domain::{CorruptTag, Fact, FactKey, ImageName, KnownIssues, Memory, Version};

/// What is known of `version`, one line each; none if nothing is. Where its content is under
/// another tag, the digest to pin by hand is named, or how to find it.
#[must_use]
pub fn known_lines(
    version: &Version,
    image: &ImageName,
    known: &KnownIssues,
    memory: &Memory,
) -> Vec<String> {
    let mut lines: Vec<String> =
        known.of_tag(version).map(CorruptTag::sentence).into_iter().collect();
    let holder = known.tag_that_holds(version);
    match (known.missing(version), holder) {
        (Some(missing), _) => lines.push(missing),
        (None, Some(tag)) => lines.push(format!("the content of {version} is under the tag {tag}")),
        (None, None) => {}
    }
    lines.extend(holder.map(|tag| by_hand(version, tag, image, memory)));
    lines
}

fn by_hand(version: &Version, tag: &Version, image: &ImageName, memory: &Memory) -> String {
    let key = FactKey { aspect: "image", subject: tag.to_string() };
    match memory.observations.get(&key).map(|seen| (&seen.fact, seen.at)) {
        Some((Fact::Image(found), at)) => format!(
            "to pin {version} by hand: {image}@{} (the tag {tag} was resolved to it at {at})",
            found.digest
        ),
        _ => format!(
            "to pin {version} by hand, take the digest that `docker buildx imagetools inspect \
             {image}:{tag}` prints: the tag {tag} was not resolved here"
        ),
    }
}
