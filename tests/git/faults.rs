//! Faults on the wire, damaged caches, and tokens that must stay where they belong.

use super::*;
use std::process::Command;

#[tokio::test]
async fn faults_on_the_wire_have_their_names() {
    let (world, folder) = (World::start().await, TempDir::new().unwrap());
    let cache = open(&world, &folder);
    world.fault(Fault::on(Service::Git).status(503));
    let busy = cache.fetch_branch(&main()).await.unwrap_err();
    assert!(matches!(busy, GitError::Transient(_)), "{busy:?}");
    world.fault(Fault::on(Service::Git).html());
    let html = cache.fetch_branch(&main()).await.unwrap_err();
    assert!(matches!(html, GitError::Malformed { .. }), "{html:?}");
    world.fault(Fault::on(Service::Git).method("POST").cut_body());
    let cut = cache.fetch_branch(&main()).await.unwrap_err();
    assert!(matches!(cut, GitError::Transient(_)), "{cut:?}");
    world.fault(Fault::on(Service::Git).close_connection());
    let closed = cache.fetch_branch(&main()).await.unwrap_err();
    assert!(matches!(closed, GitError::Transient(_)), "{closed:?}");
    world.clear_faults();
    let base = cache.fetch_branch(&main()).await.unwrap();

    // The push arrives and its answer does not: the second one finds it done.
    let commit = edited(&cache, &base, "// 1\n").await;
    world.fault(Fault::on(Service::Git).method("POST").after_commit(502));
    let unknown = cache.push(&branch(), &commit, &BTreeSet::new()).await.unwrap_err();
    assert!(matches!(unknown, GitError::Transient(_)), "{unknown:?}");
    assert_eq!(cache.remote_head(&branch()).await.unwrap().as_ref(), Some(&commit));
    let again = cache.push(&branch(), &commit, &BTreeSet::new()).await.unwrap();
    assert_eq!(again, Pushed::AlreadyThere);
}

#[tokio::test]
async fn no_redirect_takes_the_token_to_another_host() {
    let (world, stranger) = (World::start().await, World::start().await);
    let folder = TempDir::new().unwrap();
    let cache = open(&world, &folder);
    let base = cache.fetch_branch(&main()).await.unwrap();
    let commit = edited(&cache, &base, "// 1\n").await;
    let away = format!("{}/info/refs", url(&stranger));
    for status in [301, 302, 307, 308] {
        let moved = || Fault::on(Service::Git).status(status).header("location", &away).body("");
        world.fault(moved());
        let error = cache.fetch_branch(&main()).await.unwrap_err();
        assert!(matches!(error, GitError::Malformed { .. }), "{error:?}");
        world.fault(moved().method("POST"));
        let error = cache.push(&branch(), &commit, &BTreeSet::new()).await.unwrap_err();
        assert!(matches!(error, GitError::Malformed { .. }), "{error:?}");
    }
    assert_eq!(stranger.requests(), []);
    assert_eq!(head(&world, &branch()), None);
}

#[tokio::test]
async fn a_damaged_cache_is_set_aside_and_cloned_again() {
    let (world, folder) = (World::start().await, TempDir::new().unwrap());
    let cache = open(&world, &folder);
    let head = cache.fetch_branch(&main()).await.unwrap();
    for file in files_below(&folder.path().join("cache/repository.git/objects")) {
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(&file, b"not what it was").unwrap();
    }
    let damaged = read(&cache, &head, SOURCE).await.unwrap_err();
    assert!(matches!(damaged, GitError::Corrupt(_) | GitError::NotFound { .. }), "{damaged:?}");
    assert_eq!(cache.fetch_branch(&main()).await.unwrap(), head);
    assert!(read(&cache, &head, SOURCE).await.unwrap().is_some());

    fs::remove_dir_all(folder.path().join("cache/repository.git/refs")).unwrap();
    fs::write(folder.path().join("cache/repository.git/HEAD"), "").unwrap();
    let cache = open(&world, &folder);
    assert_eq!(cache.fetch_branch(&main()).await.unwrap(), head);
    assert!(read(&cache, &head, SOURCE).await.unwrap().is_some());
}

#[tokio::test]
async fn a_cache_of_too_many_packs_is_fetched_anew_and_keeps_what_was_made_here() {
    let (world, folder) = (World::start().await, TempDir::new().unwrap());
    let cache = open(&world, &folder);
    let head = cache.fetch_branch(&main()).await.unwrap();
    // As of an open pull request, and as a tool prepared it, which nobody else has.
    let made = edited(&cache, &head, "// 1\n").await;
    let prepared = write(&cache, &head, &[change("pnpm-lock.yaml", b"new\n")]).await.unwrap();
    let repository = folder.path().join("cache/repository.git");
    let packs = repository.join("objects/pack");
    let add_packs = || {
        for number in 0..200 {
            fs::write(packs.join(format!("pack-{number}.pack")), b"").unwrap();
        }
    };
    add_packs();
    assert_eq!(cache.fetch_branch(&main()).await.unwrap(), head);
    assert!(fs::read_dir(&packs).unwrap().count() < 5);
    assert!(!repository.join("objects/pack.old").exists());
    for (commit, file) in [(&head, SOURCE), (&head, SCRIPT), (&made, SOURCE), (&made, SCRIPT)] {
        assert!(read(&cache, commit, file).await.unwrap().is_some(), "{commit} {file}");
    }
    assert!(difference(&cache, &head, &prepared).await.contains("+new"));
    let next = edited(&cache, &made, "// 2\n").await;
    let pushed = cache.push(&branch(), &next, &BTreeSet::new()).await.unwrap();
    assert_eq!(pushed, Pushed::Created);

    // Somebody moves the branch itself on to a commit that was made here.
    let moved = Command::new("git")
        .arg("-C")
        .arg(world.bare_repo())
        .args(["update-ref", "refs/heads/main", made.as_str()])
        .status();
    assert!(moved.unwrap().success());
    add_packs();
    assert_eq!(cache.fetch_branch(&main()).await.unwrap(), made);
    assert!(fs::read_dir(&packs).unwrap().count() < 5);
    for commit in [&head, &made, &next] {
        assert!(read(&cache, commit, SCRIPT).await.unwrap().is_some(), "{commit}");
    }
    assert!(difference(&cache, &head, &prepared).await.contains("+new"));
}

#[tokio::test]
async fn what_broke_off_while_packs_were_replaced_is_begun_again() {
    let (world, folder) = (World::start().await, TempDir::new().unwrap());
    let cache = open(&world, &folder);
    let head = cache.fetch_branch(&main()).await.unwrap();
    let made = edited(&cache, &head, "// 1\n").await;
    assert_eq!(cache.push(&branch(), &made, &BTreeSet::new()).await.unwrap(), Pushed::Created);
    let moved = Command::new("git")
        .arg("-C")
        .arg(world.bare_repo())
        .args(["update-ref", "refs/heads/main", made.as_str()])
        .status();
    assert!(moved.unwrap().success());
    // The packs are set aside, nothing was fetched, and the branch is at a commit that lies loose.
    let repository = folder.path().join("cache/repository.git");
    let packs = repository.join("objects/pack");
    fs::rename(&packs, repository.join("objects/pack.old")).unwrap();
    fs::create_dir(&packs).unwrap();
    fs::remove_dir_all(repository.join("refs/heads")).unwrap();
    fs::create_dir(repository.join("refs/heads")).unwrap();
    assert_eq!(cache.fetch_branch(&main()).await.unwrap(), made);
    for (commit, file) in [(&head, SCRIPT), (&made, SCRIPT), (&made, SOURCE)] {
        assert!(read(&cache, commit, file).await.unwrap().is_some(), "{commit} {file}");
    }
    assert!(!repository.join("objects/pack.old").exists());
}

#[tokio::test]
async fn a_scratch_borrows_objects_and_leaves_no_trace() {
    let (world, folder) = (World::start().await, TempDir::new().unwrap());
    let lender = folder.path().join("cache");
    let base = open(&world, &folder).fetch_branch(&main()).await.unwrap();
    let before = files_below(&lender);
    world.clear_requests();

    let scratch =
        GitCache::scratch(&url(&world), Some(token(&world)), &Trust::default(), Some(&lender))
            .unwrap();
    assert_eq!(scratch.fetch_branch(&main()).await.unwrap(), base);
    assert_eq!(git_requests(&world).len(), 1, "everything was borrowed");
    let commit = edited(&scratch, &base, "// 1\n").await;
    assert_eq!(files_below(&lender), before);
    drop(scratch);
    let unknown = open(&world, &folder).objects().commit_time(&commit).await.unwrap_err();
    assert!(matches!(unknown, GitError::NotFound { .. }), "{unknown:?}");

    let nobody = folder.path().join("no such cache");
    let alone = GitCache::scratch(&url(&world), None, &Trust::default(), Some(&nobody)).unwrap();
    assert_eq!(alone.fetch_branch(&main()).await.unwrap(), base);
    assert!(!nobody.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn caches_and_tokens_do_not_mix() {
    let (world, folder) = (World::start().await, TempDir::new().unwrap());
    let mut tasks = Vec::new();
    for number in 0..12 {
        // Half of them share one folder, as two processes would.
        let dir = folder.path().join(if number % 2 == 0 {
            "shared".to_owned()
        } else {
            number.to_string()
        });
        let good = number % 3 != 0;
        let token = if good { Some(token(&world)) } else { Some(SecretString::from("stale")) };
        let cache = GitCache::open(&dir, &url(&world), token, &Trust::default()).unwrap();
        tasks.push(tokio::spawn(async move { (good, cache.fetch_branch(&main()).await) }));
    }
    let expected = head(&world, &main()).unwrap();
    for task in tasks {
        match task.await.unwrap() {
            (true, fetched) => assert_eq!(fetched.unwrap(), expected),
            (false, fetched) => assert!(matches!(fetched, Err(GitError::Denied { .. }))),
        }
    }
}
