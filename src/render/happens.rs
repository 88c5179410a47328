//! What a reader can do about a pull request, and what the bot does about what they do.

use crate::domain::{HowToAsk, Version, Wish};

/// The folded part of a pin bump to this version.
pub(super) fn folded(to: &Version, how: &HowToAsk) -> String {
    let explain = how.explain(&to.to_string());
    let tells = match how.help() {
        None => format!(
            "{explain}, where the bot runs, tells all that was found out about this release, and \
             `digest-bump plan` what the bot would do next."
        ),
        Some(help) => format!(
            "Comment {help} for all commands. {explain} tells all that was found out about this \
             release."
        ),
    };
    let (bump, rebase) = (how.say(Wish::Bump, "VERSION"), how.say(Wish::Rebase, to));
    let recreate = how.say(Wish::Recreate, to);
    format!(
        "<details>\n<summary>Commands, and what happens on a push, on closing and on \
         merging</summary>\n\n\
         - {tells}\n\
         - {bump} asks for another version; this pull request is then rewritten for it.\n\
         - A newer release with complete evidence rewrites this pull request, under the same number.\n\
         - {rebase} has this made anew on the base branch of today; by itself the bot does that \
         where git finds a conflict.\n\
         - A commit by anybody else on the branch makes the bot keep its hands off it, until \
         {recreate} gives such commits up.\n\
         - Closing this without merging declines {to}: it is not proposed again unless somebody asks \
         for it.\n\
         - Merging this moves the pin. The bot never merges.\n\n\
         </details>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_reads_a_pull_request_can_comment_on_it() {
        let comment = HowToAsk::Comment { prefix: "/pin".to_owned() };
        insta::assert_snapshot!(folded(&"3.10.0".parse().unwrap(), &comment), @"
        <details>
        <summary>Commands, and what happens on a push, on closing and on merging</summary>

        - Comment `/pin help` for all commands. `/pin explain 3.10.0` tells all that was found out about this release.
        - `/pin VERSION` asks for another version; this pull request is then rewritten for it.
        - A newer release with complete evidence rewrites this pull request, under the same number.
        - `/pin rebase` has this made anew on the base branch of today; by itself the bot does that where git finds a conflict.
        - A commit by anybody else on the branch makes the bot keep its hands off it, until `/pin recreate` gives such commits up.
        - Closing this without merging declines 3.10.0: it is not proposed again unless somebody asks for it.
        - Merging this moves the pin. The bot never merges.

        </details>
        ");
    }
}
