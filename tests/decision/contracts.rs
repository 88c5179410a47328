//! Breaks that upstream's contract document shows.

use crate::case::{NOW, PASSING, broken, candidate, snapshot, stage_word, version, with_evidence};
use crate::honesty::{HELD, seen};
use crate::remembered::Told;
use digest_bump::domain::{
    Bump, ContractFacts, ContractFound, ContractTerms, Digest, Fact, PatchPolicy,
};
use digest_bump::policy::{Candidate, Contract, Intent, decide};

const DOCUMENT: &str = "CONTRACT.md";

/// The contract at the tags of these releases; `None` where it was not read.
fn with_contracts(told: &mut Told, contracts: &[(&str, Option<ContractFound>)]) {
    told.rules.contract = Some(DOCUMENT.parse().unwrap());
    for (text, found) in contracts {
        if let Some(found) = found.clone() {
            told.observe(Fact::Contract(ContractFacts { tag: format!("v{text}"), found }));
        }
    }
}

fn document(text: &str) -> ContractFound {
    let digest = Digest::of(text.as_bytes());
    ContractFound::Document { digest, terms: ContractTerms::parse(text) }
}

const PEERS: &str = "| GET | `/admin/peers` | `id`, `kind` |\n\n## Wire format\n\nOER.\n";

#[test]
fn what_the_contract_promises_no_more_is_a_break() {
    for (text, why) in [
        (PEERS.to_owned(), None),
        (PEERS.replace("`kind`", "`since`, `kind`"), None),
        (PEERS.replace(", `kind`", ""), Some("no longer names `kind` of `GET /admin/peers`")),
        (PEERS.replace("peers", "links"), Some("no longer names `GET /admin/peers`")),
        (PEERS.replace("OER", "CBOR"), Some("says something else of the wire format")),
        (
            String::new(),
            Some("no longer names `GET /admin/peers`, and says something else of the wire format"),
        ),
    ] {
        let mut told = Told::new();
        told.released("3.9.3");
        with_contracts(
            &mut told,
            &[("3.9.3", Some(document(PEERS))), ("3.10.0", Some(document(&text)))],
        );
        let candidate = told.snapshot().candidates.remove(0);
        assert_eq!(candidate.contract, Contract::Compared);
        let got = candidate.understated.first().map(|broken| broken.why.clone());
        let why = why.map(|why| format!("CONTRACT.md {why}"));
        assert_eq!(got, why, "{text}");
        assert_eq!(candidate.bump == Bump::Major, why.is_some());
    }
}

#[test]
fn of_many_things_that_are_dropped_a_few_are_named() {
    let before = ["a", "b", "c", "d", "e"].map(|it| format!("`/admin/{it}`\n")).concat();
    let mut told = Told::new();
    told.released("3.9.3");
    let contracts = [("3.9.3", Some(document(&before))), ("3.10.0", Some(document("")))];
    with_contracts(&mut told, &contracts);
    let broken = told.snapshot().candidates.remove(0).understated.remove(0);
    let why = "CONTRACT.md no longer names `/admin/a`, `/admin/b`, `/admin/c` and 2 more";
    assert_eq!((broken.why.as_str(), broken.rows.len()), (why, 5));
}

#[test]
fn the_first_release_whose_contract_drops_it_broke_it() {
    let less = || Some(document(""));
    let gone = || Some(ContractFound::Absent);
    for (contracts, expected) in [
        ([Some(document(PEERS)), less(), less(), less()], ["3.10.0", "3.10.0", "3.10.0"]),
        ([Some(document(PEERS)), Some(document(PEERS)), less(), less()], ["3.11.0", "3.11.0", ""]),
        ([Some(document(PEERS)), less(), None, less()], ["3.10.0", "", "3.10.0"]),
        ([Some(document(PEERS)), less(), Some(document(PEERS)), less()], ["3.12.0", "", "3.10.0"]),
        ([Some(document(PEERS)), less(), less(), Some(document(PEERS))], ["", "3.10.0", "3.10.0"]),
        (
            [less(), Some(document(PEERS)), Some(document(PEERS)), Some(document(PEERS))],
            ["", "", ""],
        ),
        ([None, less(), less(), less()], ["", "", ""]),
        // What has no document takes nothing back.
        ([Some(document(PEERS)), less(), gone(), gone()], ["3.10.0", "3.10.0", "3.10.0"]),
        ([Some(document(PEERS)), less(), None, gone()], ["3.10.0", "", "3.10.0"]),
        ([Some(document(PEERS)), Some(document(PEERS)), less(), gone()], ["3.11.0", "3.11.0", ""]),
        ([Some(document(PEERS)), less(), Some(document(PEERS)), gone()], ["", "", "3.10.0"]),
        ([Some(document(PEERS)), gone(), gone(), gone()], ["", "", ""]),
    ] {
        let mut told = Told::new();
        for text in ["3.9.3", "3.11.0", "3.12.0"] {
            told.released(text);
        }
        let tags = ["3.9.3", "3.10.0", "3.11.0", "3.12.0"];
        let named: Vec<_> = tags.into_iter().zip(contracts.clone()).collect();
        with_contracts(&mut told, &named);
        let since =
            |(_, _, since): (String, Bump, Vec<String>)| since.first().cloned().unwrap_or_default();
        let got: Vec<String> = seen(&told).into_iter().map(since).collect();
        assert_eq!(got, expected, "{contracts:?}");
    }
}

#[test]
fn a_newer_release_without_a_readable_document_takes_no_break_back() {
    let unreadable = ContractFound::Unreadable { why: "it is not UTF-8".to_owned() };
    for found in [ContractFound::Absent, unreadable] {
        let mut told = Told::new();
        told.released("3.9.3");
        told.released("3.11.0");
        let less = Some(document(""));
        let contracts =
            [("3.9.3", Some(document(PEERS))), ("3.10.0", less), ("3.11.0", Some(found))];
        with_contracts(&mut told, &contracts);
        let seen = seen(&told);
        let major = |of: &str| (of.to_owned(), Bump::Major, vec!["3.10.0".to_owned()]);
        assert_eq!(seen[..2], [major("3.11.0"), major("3.10.0")]);
    }
}

/// A release that breaks something else than the contract, and a newer one that does not.
#[test]
fn a_break_is_taken_back_only_where_the_contract_is_known_to_be_kept() {
    let gone = || Contract::Uncompared("CONTRACT.md is not there".to_owned());
    for (newer, older, stage) in [
        (Contract::NotAsked, Contract::NotAsked, "skipped"),
        (Contract::Compared, Contract::Compared, "skipped"),
        (Contract::Compared, gone(), "skipped"),
        (gone(), Contract::Compared, "ready"),
        (gone(), gone(), "skipped"),
        (Contract::Unread, Contract::Compared, "ready"),
        (Contract::Unread, gone(), "ready"),
    ] {
        let mut watch = snapshot(PatchPolicy::Offer);
        let release = |text, contract: &Contract| Candidate {
            contract: contract.clone(),
            ..with_evidence(candidate(text, Bump::Minor), &PASSING)
        };
        let mended = release("3.11.0", &newer);
        let broken = broken(release("3.10.0", &older), &["3.10.0"]);
        watch.candidates = vec![mended, broken];
        let decision = decide(&watch, NOW);
        assert_eq!(stage_word(&decision, &version("3.10.0")), stage, "{newer:?} {older:?}");
    }
}

#[test]
fn a_contract_is_compared_when_both_were_read_and_else_it_is_told() {
    let uncompared = |why: &str| Contract::Uncompared(format!("CONTRACT.md {why}"));
    let unreadable = Some(ContractFound::Unreadable { why: "it is not UTF-8".to_owned() });
    for (pinned, own, expected) in [
        (Some(document(PEERS)), None, Contract::Unread),
        (None, Some(document(PEERS)), Contract::Unread),
        (Some(document(PEERS)), Some(document(PEERS)), Contract::Compared),
        (Some(ContractFound::Absent), None, Contract::Unread),
        (Some(ContractFound::Absent), Some(document(PEERS)), uncompared("is not there at v3.9.3")),
        (Some(document(PEERS)), Some(ContractFound::Absent), uncompared("is not there at v3.10.0")),
        (Some(document(PEERS)), unreadable, uncompared("at v3.10.0: it is not UTF-8")),
    ] {
        let mut told = Told::new();
        told.released("3.9.3");
        with_contracts(&mut told, &[("3.9.3", pinned), ("3.10.0", own)]);
        let candidate = told.snapshot().candidates.remove(0);
        assert_eq!((candidate.contract, candidate.bump), (expected, Bump::Minor));
    }
    let mut told = Told::new();
    assert_eq!(told.snapshot().candidates[0].contract, Contract::NotAsked);
    with_contracts(&mut told, &[]);
    let why = "CONTRACT.md: the pinned version has no release".to_owned();
    assert_eq!(told.snapshot().candidates[0].contract, Contract::Uncompared(why));
    told.released("3.9.3");
    told.released("4.0.0");
    let words: Vec<Contract> = told.snapshot().candidates.into_iter().map(|c| c.contract).collect();
    // A MAJOR by its own word has nothing to hide, and what is pinned nothing to compare.
    assert_eq!(words, [Contract::NotAsked, Contract::Unread, Contract::NotAsked]);
}

#[test]
fn a_contract_is_read_before_anything_is_proposed() {
    let of = version("3.10.0");
    for evidence in [PASSING, HELD] {
        for (contract, stage) in [
            (Contract::Unread, "checking"),
            (Contract::Compared, if evidence == PASSING { "ready" } else { "held" }),
        ] {
            for breaks in [false, true] {
                let mut watch = snapshot(PatchPolicy::Offer);
                let release = with_evidence(candidate("3.10.0", Bump::Minor), &evidence);
                let release = Candidate { contract: contract.clone(), ..release };
                let release = if breaks { broken(release, &["3.10.0"]) } else { release };
                watch.candidates = vec![release];
                let decision = decide(&watch, NOW);
                assert_eq!(stage_word(&decision, &of), stage, "{evidence:?} {breaks}");
                let read = decision.due == [Intent::ReadContract(of.clone())];
                assert_eq!(read, contract == Contract::Unread, "{:?}", decision.due);
            }
        }
    }
}
