//! The lease: one owner at a time, and nobody writes who lost it.

use super::*;

#[tokio::test]
async fn a_lease_is_one_owners_until_it_ends() {
    let clock = clock();
    let store = store(&clock).await;
    let first = store.acquire("pass", "one", TTL).await.unwrap().unwrap();
    assert!(store.acquire("pass", "two", TTL).await.unwrap().is_none());
    assert!(store.acquire("pass", "one", TTL).await.unwrap().is_none());
    let other = store.acquire("other", "two", TTL).await.unwrap().unwrap();
    assert_eq!((other.name(), other.owner(), other.token()), ("other", "two", 1));

    clock.advance(TTL / 2);
    store.renew(&first, TTL).await.unwrap();
    clock.advance(TTL / 2);
    assert!(store.acquire("pass", "two", TTL).await.unwrap().is_none());
    clock.advance(TTL / 2);
    let second = store.acquire("pass", "two", TTL).await.unwrap().unwrap();
    assert!(second.token() > first.token());
    store.release(second).await.unwrap();
    let third = store.acquire("pass", "one", TTL).await.unwrap().unwrap();
    assert_eq!(third.token(), 3);
}

#[tokio::test]
async fn who_lost_the_lease_writes_nothing() {
    let clock = clock();
    let store = store(&clock).await;
    let lost = store.acquire("pass", "one", TTL).await.unwrap().unwrap();
    let watch = watch();
    let id =
        store.record_request(&watch, Wish::Bump, &version("3.10.0"), "ada", at(1)).await.unwrap();
    clock.advance(TTL);
    // Expired, but nobody took it: still a safe owner.
    store.record_observations(&lost, &watch, &[image("one", 1)], &[], at(1)).await.unwrap();
    let _new = store.acquire("pass", "two", TTL).await.unwrap().unwrap();

    let effect = push_effect();
    let cached = Cached {
        url: "u".to_owned(),
        etag: None,
        last_modified: None,
        next: None,
        body: Vec::new(),
    };
    let finding = finding(Verdict::Passed, 2);
    let learned = Learned { finding: Some(finding), ..Learned::default() };
    let refused = [
        store.record_observations(&lost, &watch, &[image("two", 2)], &[], at(2)).await.err(),
        store.record_learned(&lost, &watch, &learned, at(9)).await.err(),
        store.start_run(&lost, &watch, &new_run()).await.err(),
        store.answer_request(&lost, id, true, "yes", at(2)).await.err(),
        store.intend(&lost, &watch, &effect, at(2)).await.err(),
        store.effect_done(&lost, &effect.key(&watch), None, at(2)).await.err(),
        store.record_observations(&lost, &watch, &[], &[cached], at(2)).await.err(),
        store.renew(&lost, TTL).await.err(),
    ];
    for error in refused {
        assert!(matches!(error, Some(StoreError::LeaseLost { .. })), "{error:?}");
    }
    let memory = store.load_memory(&watch).await.unwrap();
    assert_eq!(memory.observations.len(), 1);
    assert!(memory.findings.is_empty() && memory.runs.is_empty() && memory.effects.is_empty());
    assert_eq!(memory.requests[0].outcome, None);
    // Giving back what was lost is no error, and takes nothing from its new owner.
    store.release(lost).await.unwrap();
    assert!(store.acquire("pass", "three", TTL).await.unwrap().is_none());
}
