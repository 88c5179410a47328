//! What was heard: kept as long as somebody may ask for it, and no longer.

use super::*;
use digest_bump::domain::{CommandSource, Said};
use digest_bump::store::Received;
use std::time::Duration;

fn said(id: u64) -> Said {
    Said {
        source: CommandSource::Comment(id),
        number: 1,
        author: "ada".to_owned(),
        bot: false,
        body: "/bump help".to_owned(),
        head: None,
        at: at(1),
    }
}

#[tokio::test]
async fn what_nobody_asks_for_any_more_is_forgotten_and_ids_go_on() {
    let clock = clock();
    let store = store(&clock).await;
    let lease = store.acquire("pass", "one", TTL).await.unwrap().unwrap();
    let repository = "o/r".parse().unwrap();
    let received = |id: u64| Received {
        id: format!("d{id}"),
        event: "issue_comment".to_owned(),
        said: Some(("o/r".parse().unwrap(), said(id))),
        at: at(1),
    };
    let fresh = store.record_deliveries(&[received(1), received(2)]).await.unwrap();
    assert_eq!(fresh, [true, true]);
    let day = Duration::from_hours(24);
    let newest = store.newest_wish().await.unwrap();
    assert_eq!(store.forget_deliveries(&lease, at(1)).await.unwrap(), 0);
    assert_eq!(store.forget_deliveries(&lease, at(1) + day).await.unwrap(), 2, "the deliveries");
    assert_eq!(store.record_deliveries(&[received(1)]).await.unwrap(), [true]);
    let heard = store.load_heard(&repository, &watch(), at(1)).await.unwrap();
    assert_eq!(heard.len(), 2, "a comment is heard once all the same");
    assert_eq!(store.forget_deliveries(&lease, at(1) + 31 * day).await.unwrap(), 2);
    let heard = store.load_heard(&repository, &watch(), at(1)).await.unwrap();
    assert_eq!(heard.len(), 1, "the newest one stays");
    assert_eq!(store.newest_wish().await.unwrap(), newest);
    store.record_deliveries(&[received(3)]).await.unwrap();
    assert!(store.newest_wish().await.unwrap() > newest);
}
