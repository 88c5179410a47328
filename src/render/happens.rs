//! What a reader can do about a pull request, and what the bot does about what they do.

use crate::domain::Version;

/// The folded part of a pin bump. `released` says what merging releases.
pub(super) fn folded(to: &Version) -> String {
    format!(
        "<details>\n<summary>Commands, and what happens on a push, on closing and on \
         merging</summary>\n\n\
         - `digest-bump explain {to}`, where the bot runs, tells all that was found out about this \
         release, and `digest-bump plan` what the bot would do next.\n\
         - `digest-bump request bump VERSION` asks for another version; this pull request is then \
         rewritten for it.\n\
         - A newer release with complete evidence rewrites this pull request, under the same number.\n\
         - `digest-bump request rebase {to}` has this made anew on the base branch of today; by \
         itself the bot does that where git finds a conflict.\n\
         - A commit by anybody else on the branch makes the bot keep its hands off it, until \
         `digest-bump request recreate {to}` gives such commits up.\n\
         - Closing this without merging declines {to}: it is not proposed again unless somebody asks \
         for it.\n\
         - Merging this moves the pin. The bot never merges.\n\n\
         </details>"
    )
}
