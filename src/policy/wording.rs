//! What a sentence of release notes names that the contract calls a MAJOR: a route or a field below
//! `/admin/` that goes or gets another name, and another wire format.
//!
//! Closed lists of words, and only where they stand next to each other, on purpose. A word that
//! happens to be in the same sentence must hold up no honest release; what is said in other words
//! is left to the canary and to the contract document.

use super::{
    tokens::{Token, tokens},
    vocabulary::{
        ADOPTS, BE, CHANGED, CHANGES, ELSEWHERE, ENDED, FIELD, FIELD_FILLERS, FILLERS, FOLLOWERS,
        GIVES, GONE, HARMLESS, NEGATIONS, REMOVES, RENAMES, REPLACES, RESTORES, ROUTES, TYPES,
        WIRE_FILLERS, has,
    },
};
use crate::domain::NoteItem;

/// What a sentence names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// A route or a field below `/admin/` is removed or renamed.
    Admin,
    /// The wire format changes.
    Wire,
}

/// What `item` names, if it is something that makes a MAJOR.
pub(super) fn named(item: &NoteItem) -> Option<Named> {
    let (head, text) = conventional(&item.text);
    let scope = item.scope.as_deref().or(head).unwrap_or_default().to_lowercase();
    let harmless = |word: &str| has(HARMLESS, word);
    if scope.split(|c: char| !c.is_alphanumeric() && c != '-').any(harmless) {
        return None;
    }
    let tokens = tokens(text);
    let sentence = Sentence { tokens: &tokens, scope: &scope };
    if sentence.any(RESTORES) {
        None
    } else if sentence.route_goes() || sentence.field_goes() {
        Some(Named::Admin)
    } else {
        sentence.wire_changes().then_some(Named::Wire)
    }
}

/// Whether the item carries a mark of Conventional Commits for a breaking change: the `!` of
/// `admin!:` and `feat(admin)!:`, or the footer's words in the middle of a line.
pub(super) fn is_marked(item: &NoteItem) -> bool {
    let scope = item.scope.as_deref().unwrap_or_default();
    let kind = conventional(&item.text).0.unwrap_or_default();
    let words = item
        .text
        .split('`')
        .step_by(2)
        .any(|plain| plain.contains("BREAKING CHANGE:") || plain.contains("BREAKING-CHANGE:"));
    is_commit_head(scope, '!') || is_commit_head(kind, '!') || words
}

/// The item as a row of a migration's section, without the marks that are for machines.
pub(super) fn row(item: &NoteItem) -> NoteItem {
    let (head, text) = conventional(&item.text);
    let scope = item.scope.as_deref().or(head).map(|scope| {
        let scope = scope.trim_end_matches('!');
        scope.split_once('(').map_or(scope, |(_, inner)| inner.trim_end_matches(')'))
    });
    let kind = |scope: &&str| !has(TYPES, scope);
    NoteItem {
        scope: scope.filter(kind).map(str::to_owned),
        text: text.to_owned(),
        commit: item.commit.clone(),
    }
}

/// `feat(admin)!: text` → `feat(admin)!` and the text; without such a head only the text.
fn conventional(text: &str) -> (Option<&str>, &str) {
    match text.split_once(": ") {
        Some((head, rest)) if is_commit_head(head, '!') || is_commit_head(head, ')') => {
            (Some(head), rest)
        }
        Some((head, rest)) if has(TYPES, head) => (Some(head), rest),
        _ => (None, text),
    }
}

/// One word, perhaps with a scope in parentheses, that ends with `end`.
fn is_commit_head(head: &str, end: char) -> bool {
    let Some(rest) = head.strip_suffix(end) else { return false };
    let word = rest.split_once('(').map_or(rest, |(kind, _)| kind);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_/, ".contains(c);
    !word.is_empty() && word.chars().all(plain)
}

/// A sentence, and the scope that it stands under.
struct Sentence<'a> {
    tokens: &'a [Token],
    scope: &'a str,
}

impl Sentence<'_> {
    fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", Token::word)
    }

    fn is(&self, at: usize, words: &str) -> bool {
        has(words, self.word(at))
    }

    fn any(&self, words: &str) -> bool {
        (0..self.tokens.len()).any(|at| self.is(at, words))
    }

    fn skip(&self, mut at: usize, words: &str) -> usize {
        while self.is(at, words) {
            at += 1;
        }
        at
    }

    fn is_route(&self, at: usize) -> bool {
        matches!(self.tokens.get(at), Some(Token::Route))
    }

    fn is_name(&self, at: usize) -> bool {
        matches!(self.tokens.get(at), Some(Token::Name))
    }

    /// Whether what ends before `at` stands there for itself, and is not said of something else.
    fn ends(&self, at: usize) -> bool {
        let free = matches!(self.tokens.get(at), None | Some(Token::Stop));
        let rest = self.tokens.iter().skip(at).take_while(|token| **token != Token::Stop);
        let elsewhere = rest.take(6).any(|token| has(ELSEWHERE, token.word()));
        free || (self.is(at, FOLLOWERS) && !elsewhere)
    }

    /// Whether what begins at `at` is denied.
    fn denied(&self, at: usize) -> bool {
        let before = self.tokens[..at.min(self.tokens.len())].iter().rev().take(2);
        before
            .take_while(|token| **token != Token::Stop && token.word() != "and")
            .any(|token| has(NEGATIONS, token.word()))
    }

    fn verbs<'a>(&'a self, lists: &'a [&str]) -> impl Iterator<Item = usize> + 'a {
        (0..self.tokens.len())
            .filter(|at| lists.iter().any(|list| self.is(*at, list)) && !self.denied(*at))
    }

    /// Behind a thing: "is removed", "has been renamed", "no longer exists"; or "removed" alone.
    fn goes(&self, thing: usize, after: usize) -> bool {
        let after = self.skip(after, ROUTES);
        let verb = self.skip(after, BE);
        let no_longer = self.is(verb, "no") && self.is(verb + 1, "longer");
        let gone = self.is(verb, GONE) && (verb > after || self.ends(verb + 1));
        (gone || (no_longer && self.is(verb + 2, ENDED))) && !self.denied(thing)
    }

    fn route_goes(&self) -> bool {
        let removed = self.verbs(&[REMOVES, RENAMES]).any(|verb| self.governs_a_route(verb));
        let moved = self.verbs(&[REPLACES]).any(|verb| {
            let there = self.skip(verb + 1, FILLERS);
            let over = self.skip(there + 1, "with by to METHOD the a");
            self.is_route(there) && over > there + 1 && self.is_route(over)
        });
        let gone = (0..self.tokens.len()).any(|at| self.is_route(at) && self.goes(at, at + 1));
        removed || moved || gone
    }

    /// "remove the deprecated GET /admin/peers endpoint", "drop auth and /admin/x".
    fn governs_a_route(&self, verb: usize) -> bool {
        let mut at = self.skip(verb + 1, FILLERS);
        let another = self.is(at + 1, "and ,") && !self.is_route(at);
        if another && matches!(self.tokens.get(at), Some(Token::Word(_))) {
            at = self.skip(at + 1, FILLERS);
        }
        let end = self.skip(at + 1, ROUTES);
        self.is_route(at) && self.ends(end)
    }

    fn field_goes(&self) -> bool {
        let here = self.scope.contains("admin")
            || self.any("admin")
            || self.tokens.contains(&Token::Route);
        // Without a scope and without another place, a field is one of the interface.
        let bare = self.scope.is_empty() && !self.any(ELSEWHERE);
        if !(here || bare) {
            return false;
        }
        let active = self.verbs(&[REMOVES, RENAMES]).any(|verb| self.governs_a_field(verb, here));
        active || self.field_is_gone(here) || self.route_loses_a_field()
    }

    /// "rename field `a` to `b`", "drop the `a` and `b` fields", "remove `a` from GET /admin/x".
    fn governs_a_field(&self, verb: usize, here: bool) -> bool {
        let (mut at, mut fields, mut names) = (verb + 1, 0, 0);
        loop {
            let unquoted = here && self.is(at + 1, FIELD) && !self.is(at, FIELD);
            if self.is(at, FIELD) {
                fields += 1;
            } else if self.is_name(at) || (unquoted && self.is_plain(at)) {
                names += 1;
            } else if !self.is(at, FIELD_FILLERS) && !self.is_route(at) {
                break;
            }
            at += 1;
        }
        let renames = self.is(verb, RENAMES);
        let becomes = renames && self.is(at, "to as into → ->");
        if fields > 0 && names == 0 && renames && self.is(at + 1, "to → ->") {
            // "rename the field balance to total"
            return true;
        }
        let from = self.is(at, "from in") && {
            let place = self.skip(at + 1, FILLERS);
            let end = self.skip(place + 1, "response responses endpoint");
            self.is_route(place) && self.ends(end)
        };
        names > 0 && self.ends(at) && (fields > 0 || (here && becomes) || from)
    }

    /// A word that may be a field's name without backticks.
    fn is_plain(&self, at: usize) -> bool {
        matches!(self.tokens.get(at), Some(Token::Word(_))) && !self.is(at, FIELD_FILLERS)
    }

    /// "the field `a` is gone", "`a` is renamed to `b`".
    fn field_is_gone(&self, here: bool) -> bool {
        (0..self.tokens.len()).filter(|at| self.is_name(*at)).any(|at| {
            let before = at > 0 && self.is(at - 1, FIELD);
            let after = self.skip(at + 1, FIELD);
            let verb = self.skip(after, BE);
            let field = before || after > at + 1;
            let renamed = here && self.is(verb, "renamed") && self.is(verb + 1, "to");
            verb > after
                && !self.denied(at)
                && ((field && self.is(verb, GONE)) || renamed)
                && self.ends(verb + 1)
        })
    }

    /// "GET /admin/x no longer returns `a`".
    fn route_loses_a_field(&self) -> bool {
        (0..self.tokens.len()).filter(|at| self.is_route(*at)).any(|at| {
            let no = self.skip(at + 1, "endpoint route response responses");
            let gives = self.is(no, "no") && self.is(no + 1, "longer");
            let name = self.skip(self.skip(no + 3, "the a an"), FIELD);
            gives
                && self.is(no + 2, GIVES)
                && self.is_name(name)
                && self.ends(self.skip(name + 1, FIELD))
                && !self.is(at.saturating_sub(1), NEGATIONS)
        })
    }

    fn wire_changes(&self) -> bool {
        let format = |at: usize| {
            self.is(at, "wire packet frame")
                && self.is(at + 1, "format formats encoding layout protocol")
        };
        let active = self.verbs(&[CHANGES, ADOPTS, REMOVES, RENAMES]).any(|verb| {
            let at = self.skip(verb + 1, WIRE_FILLERS);
            let new = (verb..at).any(|between| self.is(between, "new"));
            format(at) && self.ends(at + 2) && (new || !self.is(verb, ADOPTS))
        });
        let passive = (0..self.tokens.len()).filter(|at| format(*at)).any(|at| {
            let verb = self.skip(at + 2, BE);
            self.is(verb, CHANGED) && self.ends(verb + 1) && !self.denied(at)
        });
        active || passive
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Notes;

    /// What a bullet names.
    fn of(bullet: &str) -> Option<Named> {
        let notes = Notes::parse(&format!("### Features\n\n* {bullet}"));
        named(&notes.sections[0].items[0])
    }

    #[test]
    fn what_goes_below_admin_is_seen() {
        for bullet in [
            "remove GET /admin/peers",
            "**admin:** remove `GET /admin/peers` ([0a1b2c3](https://x.y)), closes [#1](https://x.y)",
            "**admin:** Removes the deprecated `/admin/peers` endpoint",
            "drop /admin/x",
            "drop support for `POST /admin/peers/:id`, which nobody used",
            "feat(admin): delete the legacy /admin/settle route in favour of /admin/channels",
            "rename /admin/peers to /admin/links",
            "**connector:** move `/admin/peers` to `/admin/v2/peers`",
            "replace GET /admin/balance with GET /admin/balances",
            "`GET`/`POST` /admin/peers removed",
            "**admin:** `/admin/peers` and `/admin/links` are removed",
            "GET /admin/peers has been renamed to GET /admin/links",
            "/admin/peers no longer exists",
            "removal of the `/admin/*` routes",
            "**admin:** /admin/peers removal",
            "drop SPSP and /admin/spsp",
            "add GET /admin/links; remove GET /admin/peers",
            "fix the pagination and drop `GET /admin/pages`",
            // Fields.
            "rename field `balance` to `total`",
            "**admin:** rename field balance to total",
            "**admin:** rename `balance` → `availableBalance`",
            "remove the `connected` field from GET /admin/peers",
            "**admin:** remove `connected` and `relation` fields",
            "drop `connected` from the `/admin/peers` response",
            "**admin:** drop the connected field from peers",
            "the field `balance` is gone",
            "**admin:** `balance` is renamed to `total`",
            "`GET /admin/peers` no longer returns `connected`",
            "GET /admin/channels no longer includes the field `peerCount`",
            "**admin:** drop the unused peer_count field",
        ] {
            assert_eq!(of(bullet), Some(Named::Admin), "{bullet}");
        }
    }

    #[test]
    fn another_wire_format_is_seen() {
        for bullet in [
            "change the ILP wire format",
            "**btp:** switch to a new wire format",
            "the packet format has changed: amounts are 128 bits wide",
            "ILP packet format is now incompatible with 3.9",
            "use a new packet encoding between peers",
            "**ilp:** rework the wire-format",
            "wire format change for STREAM",
        ] {
            assert_eq!(of(bullet), Some(Named::Wire), "{bullet}");
        }
    }

    #[test]
    fn honest_sentences_with_the_same_words_are_left_alone() {
        for bullet in [
            "add `DELETE /admin/peers/:id` to remove a peer",
            "**admin:** add an endpoint that removes peers (`DELETE /admin/peers/:id`)",
            "**admin:** add GET /admin/peers and drop idle connections",
            "deprecate GET /admin/peers; it will be removed in 4.0",
            "deprecate /admin/peers, removed in 4.0",
            "/admin/peers will be removed in 4.0.0",
            "**admin:** do not remove /admin/peers",
            "no /admin/* routes are removed",
            "No `/admin/*` route or field is removed or renamed.",
            "remove the rate limit from /admin/peers",
            "remove duplicates from GET /admin/peers",
            "drop empty responses of /admin/peers",
            "remove /admin/peers mocks",
            "**test:** remove GET /admin/peers",
            "docs: remove /admin/peers from the README",
            "remove `/admin/peers` from the docs",
            "remove /admin/peers from the list of tests",
            "restore the removed GET /admin/peers",
            "Revert \"remove GET /admin/peers\"",
            "fix accidental removal of GET /admin/peers",
            "fix removed peers at /admin/peers",
            "move the /admin routes to a module of their own",
            "move /admin routes to a module of their own",
            "replace polling with events in GET /admin/packets",
            "GET /admin/peers: removed peers are listed no more",
            "GET /admin/peers no longer returns `null`",
            "GET /admin/peers no longer returns `404`",
            "`/admin/channels` no longer returns `CLOSED` channels",
            "remove `console.log` from /admin/peers",
            "remove `unwrap` from /admin handlers",
            "remove `any` casts in /admin/peers",
            "**admin:** `peer` is removed on disconnect",
            "**admin:** remove field validation for peers",
            "**admin:** remove empty fields",
            "remove the `debug` field from the config",
            "**explorer:** remove the `foo` field",
            "rename the field `a` to `b` in the database",
            "**config:** rename field `a` to `b`",
            "remove src/admin/router.ts",
            "remove admin dashboard",
            "add field `since` to GET /admin/peers",
            "**admin:** remove XRP/Aptos settlement",
            "document the wire format",
            "add tests for the packet format",
            "change wire format tests",
            "change the packet format documentation",
            "no wire format change",
            "add ILP packet type display with routing fields",
            "correct Anvil command format to listen on all interfaces",
            "show the packet format in the explorer",
            "add new packet format display",
        ] {
            assert_eq!(of(bullet), None, "{bullet}");
        }
    }

    #[test]
    fn as_much_as_github_stores_takes_no_time_to_speak_of() {
        for piece in
            ["remove ", "the ", "`a` ", "remove `a` field ", "/admin/x route ", "change ", "`"]
        {
            let _ = of(&piece.repeat(125_000 / piece.len()));
        }
    }

    #[test]
    fn a_row_has_no_marks_for_machines() {
        for (bullet, scope, text) in [
            ("**admin!:** a", Some("admin"), "a"),
            ("feat(admin)!: a", Some("admin"), "a"),
            ("feat!: a", None, "a"),
            ("**feat(admin)!:** a", Some("admin"), "a"),
            ("**admin:** a: b", Some("admin"), "a: b"),
            ("a: b", None, "a: b"),
        ] {
            let notes = Notes::parse(&format!("### Features\n\n* {bullet}"));
            let row = row(&notes.sections[0].items[0]);
            assert_eq!((row.scope.as_deref(), &*row.text), (scope, text), "{bullet}");
        }
    }

    #[test]
    fn the_marks_of_conventional_commits_are_seen() {
        let marked = |bullet: &str| {
            let notes = Notes::parse(&format!("### Features\n\n* {bullet}"));
            is_marked(&notes.sections[0].items[0])
        };
        for bullet in [
            "**admin!:** list peers as pages",
            "feat(admin)!: list peers as pages by @octo in https://github.com/o/r/pull/1",
            "feat!: list peers as pages",
            "**feat(admin)!:** list peers as pages",
            "list peers as pages. BREAKING CHANGE: a page is no list",
        ] {
            assert!(marked(bullet), "{bullet}");
        }
        for bullet in [
            "**admin:** list peers as pages",
            "feat(admin): list peers as pages",
            "it works! see: the docs",
            "we fixed it! (really): x",
            "read `BREAKING CHANGE:` in commits",
            "a != b: c",
        ] {
            assert!(!marked(bullet), "{bullet}");
        }
    }
}
