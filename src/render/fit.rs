//! A body that GitHub takes, however much there is to say: parts are left out whole, so that no cut
//! falls inside a fence, a table or a fold.

/// GitHub refuses a body over 65 536 characters. Counted in bytes, which are never fewer; what is
/// left is for the line that the bot adds when it closes a pull request.
pub(super) const MAX_BODY: usize = 64_000;
/// What the release notes are left at least: their heading, and the link to the rest.
const NOTES_AT_LEAST: usize = 2_000;

/// One part of a body.
#[derive(Debug)]
pub(super) struct Part {
    text: String,
    /// What stands in its place where there is no room; without it, it always stands.
    instead: Option<String>,
}

impl Part {
    /// One that always stands.
    pub(super) const fn fixed(text: String) -> Self {
        Self { text, instead: None }
    }

    /// One that gives way to `instead`.
    pub(super) fn spare(text: String, instead: &str) -> Self {
        Self { text, instead: Some(instead.to_owned()) }
    }
}

/// The parts that are not empty, one after the other. While there are too many bytes the largest
/// part that can give way does so.
pub(super) fn fit(mut parts: Vec<Part>) -> Vec<String> {
    let room = MAX_BODY - NOTES_AT_LEAST;
    loop {
        let taken: usize = parts.iter().map(|part| part.text.len() + "\n\n".len()).sum();
        let gives_way = |part: &&mut Part| {
            part.instead.as_ref().is_some_and(|instead| instead.len() < part.text.len())
        };
        let largest = parts.iter_mut().filter(gives_way).max_by_key(|part| part.text.len());
        match largest {
            Some(part) if taken > room => part.text = part.instead.take().unwrap_or_default(),
            _ => break,
        }
    }
    parts.into_iter().map(|part| part.text).filter(|text| !text.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_parts_give_way_and_what_is_fixed_stays() {
        let text = |name: &str, length: usize| name.repeat(length);
        let parts = |small: usize, large: usize| {
            vec![
                Part::fixed(text("f", 1_000)),
                Part::spare(text("s", small), "small"),
                Part::spare(String::new(), "never"),
                Part::spare(text("l", large), "large"),
                Part::fixed(text("m", 10)),
            ]
        };
        let told = |small, large| {
            let told = fit(parts(small, large));
            assert!(told.join("\n\n").len() <= MAX_BODY - NOTES_AT_LEAST, "{small} {large}");
            assert_eq!((told[0].len(), told.last().map(String::len)), (1_000, Some(10)));
            told[1..told.len() - 1]
                .iter()
                .map(|it| it[..1].to_owned() + &it.len().to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(told(100, 200), ["s100", "l200"]);
        assert_eq!(told(100, 70_000), ["s100", "l5"]);
        assert_eq!(told(70_000, 80_000), ["s5", "l5"]);
        assert_eq!(told(30_000, 31_000), ["s30000", "l5"]);
    }
}
