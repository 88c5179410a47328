//! Whose branch a pull request has and who wishes that it is made anew, in every combination.

use crate::case::{
    NOW, PASSING, candidate, minutes_ago, request, snapshot, version, with_evidence,
};
use crate::pulls::pull;
use crate::remembered::Told;
use crate::table::{Table, product};
use digest_bump::domain::{
    Bump, CommitId, Effect, EffectKey, EffectRecord, EffectState, Fact, PatchPolicy, PullFacts,
    PullState, Request, RequestId, Saying, Timestamp, Wish,
};
use digest_bump::policy::{Intent, Snapshot, decide};

const ANEW: &[(&str, &[&str])] = &[
    ("wish", &["none", "rebase", "recreate", "both"]),
    ("branch", &["told", "pushed", "person"]),
    ("bound", &["free", "here", "elsewhere"]),
    ("moved", &["never", "before", "then", "after"]),
    ("said", &["nothing", "hands-off", "given-up"]),
];

/// When everything was wished.
const WISHED: Timestamp = minutes_ago(30);

fn commit(digit: &str) -> CommitId {
    digit.repeat(40).parse().unwrap()
}

fn effect(effect: Effect, done_at: Option<Timestamp>) -> EffectRecord {
    EffectRecord {
        key: EffectKey(format!("{effect:?}")),
        effect,
        state: if done_at.is_some() { EffectState::Done } else { EffectState::Intended },
        intended_at: minutes_ago(50),
        done_at,
        remote_id: None,
    }
}

/// The pull request for 3.10.0 with the branch of this word. Its text names the commit `a`.
fn open(branch: &str) -> PullFacts {
    let open = pull(12, "digest-bump/connector", PullState::Open);
    let head = if branch == "told" { open.head.clone() } else { commit("b") };
    PullFacts { head, ..open }
}

/// What the bot did and said of it.
fn effects(open: &PullFacts, words: &[&str], labelled: bool) -> Vec<EffectRecord> {
    let [_, branch, _, moved, said] = words else { panic!("{words:?}") };
    let mut effects = Vec::new();
    let pushed_at = match *moved {
        "never" => None,
        "before" => Some(minutes_ago(31)),
        "then" => Some(WISHED),
        _ => Some(minutes_ago(29)),
    };
    // It may have died right after the push, or have lost the memory of it.
    if *branch == "pushed" || pushed_at.is_some() {
        let push = Effect::PushBranch { branch: open.branch.clone(), commit: open.head.clone() };
        effects.push(effect(push, pushed_at));
    }
    let hands_off = Saying::HandsOff { since: commit("a"), after: None };
    let says = match *said {
        "hands-off" => Some(hands_off.clone()),
        "given-up" => Some(Saying::GivenUp { head: open.head.clone() }),
        _ => None,
    };
    let number = open.number;
    let comment = says.map(|says| Effect::CommentPull { number, says, body: String::new() });
    let labels = vec!["hands-off".to_owned()];
    let label = labelled.then_some(Effect::LabelPull { number, labels, since: Some(hands_off) });
    let done = comment.into_iter().chain(label);
    effects.extend(done.map(|done| effect(done, Some(minutes_ago(40)))));
    effects
}

fn wishes(open: &PullFacts, words: &[&str]) -> Vec<Request> {
    let [wish, _, bound, ..] = words else { panic!("{words:?}") };
    let head = match *bound {
        "free" => None,
        "here" => Some(open.head.clone()),
        _ => Some(commit("c")),
    };
    let wishes: &[Wish] = match *wish {
        "none" => &[],
        "rebase" => &[Wish::Rebase],
        "recreate" => &[Wish::Recreate],
        _ => &[Wish::Rebase, Wish::Recreate],
    };
    let asked = wishes.iter().zip(1..).map(|(wish, id)| Request {
        id: RequestId(id),
        wish: *wish,
        head: head.clone(),
        at: WISHED,
        ..request(&version("3.10.0"), false)
    });
    asked.collect()
}

/// The watch as the words say: the pull request as it is remembered, its evidence complete.
fn watch(words: &[&str], labelled: bool) -> Snapshot {
    let open = open(words[1]);
    let mut told = Told::new();
    told.memory.effects = effects(&open, words, labelled);
    told.memory.requests = wishes(&open, words);
    told.observe(Fact::Pull(open));
    let seen = told.snapshot();
    let mut watch = snapshot(PatchPolicy::Offer);
    watch.candidates = vec![with_evidence(candidate("3.10.0", Bump::Minor), &PASSING)];
    (watch.proposals, watch.requests) = (seen.proposals, seen.requests);
    watch
}

/// What is due, in the table's words, sorted.
fn due(watch: &Snapshot) -> Vec<&'static str> {
    let told = decide(watch, NOW).due.into_iter().map(|intent| match intent {
        Intent::Propose { over: Some(_), .. } => "remake",
        Intent::StepBack { .. } => "step-back",
        Intent::GiveUp { .. } => "give-up",
        Intent::TakeUp { .. } => "take-up",
        Intent::Answer { granted: true, .. } => "grant",
        Intent::Answer { answer, .. } if answer.ends_with("say it again") => "outdated",
        Intent::Answer { .. } => "refuse",
        other => panic!("{other:?}"),
    });
    let mut told: Vec<&str> = told.collect();
    told.sort_unstable();
    told
}

#[test]
fn whose_branch_it_is_and_who_wished_what_decides_whether_it_is_made_anew() {
    let table = Table::read("anew", ANEW);
    for words in product(ANEW) {
        // Nobody but the bot pushes what it remembers to have pushed.
        if words[1] == "person" && words[3] != "never" {
            continue;
        }
        let row = table.row(&words);
        for labelled in [false, true] {
            // A label that says that a person works on it comes off the bot's own, whatever else.
            let take_up = (labelled && words[1] != "person").then_some("take-up");
            let mut expected: Vec<&str> = row.expected[0].iter().copied().chain(take_up).collect();
            expected.sort_unstable();
            let due = due(&watch(&words, labelled));
            assert_eq!(due, expected, "line {}: {words:?}, labelled: {labelled}", row.line());
        }
    }
    table.assert_all_used();
}
