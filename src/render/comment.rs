//! The bot's comments on its pull requests: few, and each once.

use super::notes::brief;
use crate::domain::{CommitId, HowToAsk, Marker, PullFacts, Saying, Version, Wish};
use std::fmt::Write as _;

const OPEN: &str = "<!-- digest-bump:comment:1 ";
const CLOSE: &str = " -->";
/// How many commits are named: the rest hangs on the last of them.
const NAMED: usize = 50;

/// The hidden line by which the bot finds its own comment again.
#[must_use]
pub fn comment_marker(says: &Saying) -> String {
    format!("{OPEN}{says}{CLOSE}")
}

/// Whether a comment's text has this marker.
#[must_use]
pub fn comment_says(body: &str, says: &Saying) -> bool {
    body.contains(&comment_marker(says))
}

/// That a person works on the branch, what the bot does then, and how it comes back.
#[must_use]
pub fn hands_off_comment(
    says: &Saying,
    marker: &Marker,
    pull: &PullFacts,
    how: &HowToAsk,
) -> String {
    let Marker { version, commit: since, .. } = marker;
    let PullFacts { branch, head, .. } = pull;
    format!(
        "**Hands off.** `{branch}` is at {head}, which is no commit of this bot's. Whoever works \
         here has the branch: the bot neither moves it nor rewrites this pull request any more, and \
         says nothing more of it.\n\n\
         It goes on by itself when this is merged or closed, or when the branch is back at {since}. \
         To have it made anew now, without the commits of others{}\n\n\
         The bot then first names here what is lost by that, and how to get it back.\n\n{}",
        to_copy(how, Wish::Recreate, version),
        comment_marker(says)
    )
}

/// The end of a sentence: a line that asks for something, to be copied.
fn to_copy(how: &HowToAsk, wish: Wish, version: &Version) -> String {
    let (lead, language) = match how {
        HowToAsk::CommandLine => (":", "sh"),
        HowToAsk::Comment { .. } => (", comment here:", "text"),
    };
    format!("{lead}\n\n```{language}\n{}\n```", how.line(wish, version))
}

/// A commit that is given up, as a comment names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostCommit {
    /// Its id.
    pub id: CommitId,
    /// The first line of its message. Foreign text.
    pub title: String,
    /// Who wrote it. Foreign text.
    pub author: String,
}

/// Which commits are given up, at whose wish, and how to get them back. `head` is the last of them.
#[must_use]
pub fn given_up_comment(actor: &str, head: &CommitId, lost: &[LostCommit]) -> String {
    let mut text = format!(
        "**To be made anew**, as {} asked. These commits leave the branch by that:\n\n",
        brief(actor)
    );
    let earlier = lost.len().saturating_sub(NAMED);
    if earlier > 0 {
        let _ = writeln!(text, "- {earlier} earlier ones");
    }
    for LostCommit { id, title, author } in &lost[earlier..] {
        let _ = writeln!(text, "- {id} {} ({})", brief(title), brief(author));
    }
    let short = head.short();
    let _ = write!(
        text,
        "\nGitHub keeps them for a while. To have them back in a branch of their own:\n\n\
         ```sh\ngit fetch origin {head}\ngit branch before-{short} {head}\n```\n\n{}",
        comment_marker(&Saying::GivenUp { head: head.clone() })
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(letter: &str) -> CommitId {
        letter.repeat(40).parse().unwrap()
    }

    #[test]
    fn a_comment_is_found_by_what_it_says() {
        let says = Saying::HandsOff { since: commit("a"), after: None };
        let again = Saying::HandsOff { since: commit("a"), after: Some(commit("b")) };
        let (one, two) = (comment_marker(&says), comment_marker(&again));
        assert!(comment_says(&one, &says) && !comment_says(&one, &again));
        assert!(comment_says(&two, &again) && !comment_says(&two, &says));
        assert!(!comment_says(&one, &Saying::GivenUp { head: commit("a") }));
    }

    #[test]
    fn the_way_back_is_what_a_reader_can_do() {
        let version = "3.10.0".parse().unwrap();
        let line = |how: &HowToAsk| to_copy(how, Wish::Recreate, &version);
        let shell = line(&HowToAsk::CommandLine);
        assert_eq!(shell, ":\n\n```sh\ndigest-bump request recreate 3.10.0\n```");
        let comment = line(&HowToAsk::Comment { prefix: "/pin".to_owned() });
        assert_eq!(comment, ", comment here:\n\n```text\n/pin recreate\n```");
    }

    #[test]
    fn what_is_lost_is_named_and_foreign_words_do_nothing() {
        let lost = |n: usize| LostCommit {
            id: commit("c"),
            title: format!("fix {n} @someone <b>\n- x"),
            author: "A | `B`".to_owned(),
        };
        let lost: Vec<LostCommit> = (0..52).map(lost).collect();
        let text = given_up_comment("ada", &commit("d"), &lost);
        assert!(text.contains("- 2 earlier ones\n") && text.contains("git branch before-ddddddd"));
        assert!(!text.contains("@someone") && !text.contains("<b>") && !text.contains("\n- x"));
        assert_eq!(text.lines().filter(|line| line.starts_with("- ")).count(), 51);
    }
}
