//! Whether upstream left the contract, over rows of releases.

use crate::case::{NOW, answer, candidate, digest, minutes_ago, snapshot, version};
use digest_bump::domain::{Bump, Check, PatchPolicy, Verdict};
use digest_bump::policy::{Candidate, Ignored, Look, Snapshot, departure};

/// A watch with a row of releases, the oldest first, each of one letter; the newest is one minute
/// old. `k` and `o` are known, above the pin and below; `s` and `c` are strangers by their tag and
/// by what was found; `t` and `w` lack an image, for too long and not yet; `p` is a pre-release; `u`
/// was never looked at; `l` lacks its signature so far.
fn row(letters: &str) -> Snapshot {
    let mut snapshot = snapshot(PatchPolicy::Offer);
    let count = i64::try_from(letters.len()).unwrap();
    for (n, letter) in (0..).zip(letters.chars()) {
        let ignored = |unfinished| Ignored {
            tag: format!("handle-{n}"),
            why: "none of ours".to_owned(),
            published_at: minutes_ago(count - n),
            unfinished,
        };
        match letter {
            's' => snapshot.ignored.push(ignored(false)),
            'p' => snapshot.ignored.push(ignored(true)),
            letter => snapshot.candidates.push(known(letter, n, count)),
        }
    }
    snapshot.artifact_deadline = std::time::Duration::ZERO;
    snapshot
}

fn known(letter: char, n: i64, count: i64) -> Candidate {
    let (name, bump) = match letter {
        'o' => (format!("3.9.{n}"), Bump::None),
        _ => (format!("3.1{n}.0"), Bump::Minor),
    };
    let mut known = candidate(&name, bump);
    known.published_at = minutes_ago(if letter == 'w' { -1 } else { count - n });
    known.digest = (!matches!(letter, 't' | 'w' | 'u')).then(|| digest(&version(&name)));
    known.look = matches!(letter, 't' | 'w').then_some(Look::Absent);
    let platforms = if letter == 'c' { Verdict::Failed } else { Verdict::Passed };
    known.answers.insert(Check::Platforms, answer(platforms, 0, 1));
    if letter == 'l' {
        known.answers.insert(Check::Signature, answer(Verdict::Inconclusive, 1, 1));
    }
    known
}

#[test]
fn three_strangers_in_a_row_are_a_departure_and_less_or_a_known_one_is_none() {
    for (letters, departed) in [
        ("", false),
        ("sss", true),
        ("k", false),
        ("kss", false),
        ("ksss", true),
        ("osct", true),
        ("kccc", true),
        ("kttt", true),
        ("ksssk", false),
        ("ksssu", false),
        ("kssso", false),
        // What is not finished, or not yet there, neither makes a departure nor ends one.
        ("kssp", false),
        ("kppp", false),
        ("kwww", false),
        ("klll", false),
        ("ksswl", false),
        ("ksssp", true),
        ("ksssw", true),
        ("ksssl", true),
        // Strangers have always been released beside it: only a longer row says something.
        ("kssksss", false),
        ("ksskssss", true),
        ("ksssssksssssssss", false),
        ("ksssssksssssssssss", true),
    ] {
        assert_eq!(departure(&row(letters), NOW).is_some(), departed, "{letters}");
    }
}

#[test]
fn it_says_since_when_and_names_three() {
    let told = |letters| departure(&row(letters), NOW).unwrap();
    insta::assert_snapshot!(told("ksct"), @"upstream left the contract: of its 3 releases since 2026-09-21T14:10:20Z there is none that the contract knows: 3.13.0 (its image did not appear), 3.12.0 (failed, 0), handle-1 (none of ours)");
    insta::assert_snapshot!(told("ksssss"), @"upstream left the contract: of its 5 releases since 2026-09-21T14:08:20Z there is none that the contract knows: handle-5 (none of ours), handle-4 (none of ours), handle-3 (none of ours), and 2 more");
}
