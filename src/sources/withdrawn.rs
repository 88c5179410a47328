//! Releases that upstream's list does not show any more.

use crate::domain::{Fact, Memory, ReleaseFacts};

/// What is shorter than a page is the whole list, read at once.
const PAGE: usize = 100;

/// Those that are remembered, and missing from the list that was `read`, as facts.
///
/// A list that is longer than a page is read in several steps, and one that falls from one page to
/// the next meanwhile is in none. So only what would stand on the first page is missed. A list that
/// is empty all of a sudden is a fault and no news.
#[must_use]
pub fn withdrawn(read: &[Fact], memory: &Memory) -> Vec<Fact> {
    let listed: Vec<&ReleaseFacts> = read
        .iter()
        .filter_map(|fact| match fact {
            Fact::Release(release) => Some(release),
            _ => None,
        })
        .collect();
    if listed.is_empty() {
        return Vec::new();
    }
    let since = listed.iter().take(PAGE).map(|release| release.published_at).min();
    let since = since.filter(|_| listed.len() >= PAGE);
    let missed = memory.releases().filter(|known| {
        !known.withdrawn
            && since.is_none_or(|since| known.published_at > since)
            && listed.iter().all(|release| release.tag != known.tag)
    });
    missed.map(|known| Fact::Release(ReleaseFacts { withdrawn: true, ..known.clone() })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn release(day: i64) -> ReleaseFacts {
        ReleaseFacts {
            tag: format!("v1.{day}.0"),
            draft: false,
            prerelease: false,
            published_at: Timestamp::from_millis(day * 86_400_000),
            url: String::new(),
            notes: String::new(),
            withdrawn: false,
        }
    }

    fn missed(listed: impl Iterator<Item = i64>, known: impl Iterator<Item = i64>) -> Vec<String> {
        let mut memory = Memory::default();
        for day in known {
            memory.observe(Fact::Release(release(day)), Timestamp::from_millis(0));
        }
        let read: Vec<Fact> = listed.map(|day| Fact::Release(release(day))).collect();
        let missed = withdrawn(&read, &memory).into_iter().map(|fact| match fact {
            Fact::Release(release) if release.withdrawn => release.tag,
            other => panic!("{other:?}"),
        });
        missed.collect()
    }

    #[test]
    fn what_the_list_shows_no_more_is_withdrawn() {
        assert_eq!(missed([3, 1].into_iter(), 1..4), ["v1.2.0"]);
        assert_eq!(missed(1..4, 1..4), [""; 0]);
        assert_eq!(missed(std::iter::empty(), 1..4), [""; 0]);
    }

    #[test]
    fn what_may_have_fallen_between_two_pages_is_not() {
        let listed = (1..=150).rev().filter(|day| ![40, 120].contains(day));
        assert_eq!(missed(listed, 1..=150), ["v1.120.0"]);
    }
}
