//! Standing orders: what is left alone, and until when.

use crate::case::{
    NOW, PASSING, candidate, minutes_ago, proposal, request, snapshot, with_evidence, word_of,
};
use digest_bump::domain::{Bump, Order, Ordered, PatchPolicy, ProposalKind, Request, RequestId};
use digest_bump::policy::{Decision, Intent, Snapshot, decide};

/// A watch with a MINOR and a patch that may be proposed, and these orders; `open` is the MINOR's
/// pull request.
fn watch(orders: &[Ordered], open: bool) -> Snapshot {
    let mut watch = snapshot(PatchPolicy::Offer);
    for (text, bump) in [("3.10.0", Bump::Minor), ("3.9.4", Bump::Patch)] {
        watch.candidates.push(with_evidence(candidate(text, bump), &PASSING));
    }
    if open {
        let minor = &watch.candidates[0].version;
        watch.proposals.push(proposal(ProposalKind::PinBump, minor, 1));
    }
    let orders = orders.iter().zip(10..);
    watch.orders = orders.map(|(ordered, id)| order(id, ordered.clone())).collect();
    watch
}

fn order(id: i64, ordered: Ordered) -> Order {
    Order { id: RequestId(id), ordered, actor: "ada".to_owned(), at: minutes_ago(20) }
}

/// The bump of the MINOR that is asked for, counted as this, when the orders are given.
fn asked(watch: &Snapshot, id: i64) -> Request {
    Request {
        id: RequestId(id),
        said_at: minutes_ago(20),
        ..request(&watch.candidates[0].version, false)
    }
}

/// What is done to pull requests, and the word for the stage of the MINOR and of the patch.
fn told(watch: &Snapshot) -> String {
    let Decision { due, stages, .. } = decide(watch, NOW);
    let done = due.iter().filter_map(|intent| match intent {
        Intent::Propose { version, .. } => Some(format!("propose {version}")),
        Intent::Close { pull, .. } => Some(format!("close {pull}")),
        Intent::Answer { granted, .. } => Some(format!("answer {granted}")),
        _ => None,
    });
    let words = stages.iter().map(|(_, stage)| word_of(stage).to_owned());
    done.chain(words).collect::<Vec<_>>().join(", ")
}

#[test]
fn what_is_ordered_is_left_alone_until_it_counts_again() {
    let hold = || Ordered::Hold { reason: None };
    let ignore = Ordered::IgnoreBump;
    let release = |text: &str| Ordered::IgnoreRelease(text.parse().unwrap());
    for (orders, open, expected) in [
        (vec![], false, "propose 3.10.0, ready, covered"),
        (vec![hold()], false, "waiting, covered"),
        (vec![hold(), Ordered::Unhold], false, "propose 3.10.0, ready, covered"),
        (vec![hold()], true, "proposed, covered"),
        (vec![ignore(Bump::Minor)], false, "skipped, offered"),
        (vec![ignore(Bump::Patch)], false, "propose 3.10.0, ready, skipped"),
        (vec![ignore(Bump::Major)], false, "propose 3.10.0, ready, covered"),
        (vec![ignore(Bump::Minor), ignore(Bump::Patch)], false, "skipped, skipped"),
        (vec![ignore(Bump::Minor), Ordered::Unignore], false, "propose 3.10.0, ready, covered"),
        (vec![release("3.10.0")], false, "skipped, offered"),
        (vec![release("3.11.0")], false, "propose 3.10.0, ready, covered"),
        (vec![ignore(Bump::Minor)], true, "close #1, proposed, covered"),
        // Nothing is closed while the bot is on hold.
        (vec![ignore(Bump::Minor), hold()], true, "proposed, covered"),
    ] {
        assert_eq!(told(&watch(&orders, open)), expected, "{orders:?} {open}");
    }
}

#[test]
fn who_asks_by_name_after_an_order_is_heard_and_before_it_is_not() {
    for (order, id, expected) in [
        (Ordered::IgnoreBump(Bump::Minor), 99, "propose 3.10.0, ready, skipped"),
        (Ordered::Hold { reason: None }, 99, "answer false, waiting, covered"),
    ] {
        let mut watch = watch(std::slice::from_ref(&order), false);
        watch.requests = vec![asked(&watch, id)];
        assert_eq!(told(&watch), expected, "{order:?}");
    }
    // It still waited when that was ordered.
    let mut waited = watch(&[Ordered::IgnoreBump(Bump::Minor)], false);
    waited.requests = vec![asked(&waited, 1)];
    assert_eq!(told(&waited), "answer false, skipped, offered");
    waited.requests.push(asked(&waited, 99));
    assert_eq!(told(&waited), "answer false, propose 3.10.0, ready, skipped");
    // A pull request that was asked for, and is ignored since.
    let mut watch = watch(&[Ordered::IgnoreBump(Bump::Minor)], true);
    watch.requests = vec![Request {
        outcome: request(&watch.candidates[0].version, true).outcome,
        ..asked(&watch, 1)
    }];
    assert!(told(&watch).contains("close #1"), "{}", told(&watch));
}
