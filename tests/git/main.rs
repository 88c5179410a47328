//! The git client, against a real git server over HTTP.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

mod faults;

use digest_bump::{
    clients::{
        git::{Author, Entry, GitCache, GitError, Missing, Objects, Pushed},
        wire::Trust,
    },
    domain::{
        BlobId, BranchName, CommitId, FOLDER_MODE, FileChange, FilePath, ListedTree, Timestamp,
        TreeEntry, TreeFile, TreeId,
    },
};
use secrecy::SecretString;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
};
use tempfile::TempDir;
use world::{Fault, Request, Service, World};

const SOURCE: &str = "packages/townhouse/src/constants.ts";
const SCRIPT: &str = "scripts/townhouse-e2e-local-hs.sh";

fn url(world: &World) -> String {
    format!("{}/toon-protocol/town.git", world.git_url())
}

fn token(world: &World) -> SecretString {
    SecretString::from(world.token())
}

fn open(world: &World, folder: &TempDir) -> GitCache {
    GitCache::open(&folder.path().join("cache"), &url(world), Some(token(world)), &Trust::default())
        .unwrap()
}

fn main() -> BranchName {
    "main".parse().unwrap()
}

fn branch() -> BranchName {
    "digest-bump/connector-3.10.0".parse().unwrap()
}

fn head(world: &World, branch: &BranchName) -> Option<CommitId> {
    let heads = world.branches();
    heads.get(branch.as_str()).map(|id| id.parse().unwrap())
}

fn path(text: &str) -> FilePath {
    text.parse().unwrap()
}

fn change(at: &str, content: &[u8]) -> FileChange {
    FileChange { path: path(at), content: content.to_vec(), notes: Vec::new() }
}

fn git_requests(world: &World) -> Vec<Request> {
    let all = world.requests().into_iter();
    all.filter(|request| matches!(request.service, Service::Git)).collect()
}

async fn read(cache: &GitCache, commit: &CommitId, at: &str) -> Result<Option<Vec<u8>>, GitError> {
    let tree = cache.objects().tree_of(commit).await?;
    let files = cache.objects().read_files(&tree, &BTreeSet::from([path(at)])).await?;
    Ok(files.into_values().next().unwrap())
}

async fn write(
    cache: &GitCache,
    base: &CommitId,
    changes: &[FileChange],
) -> Result<TreeId, GitError> {
    let tree = cache.objects().tree_of(base).await?;
    cache.objects().write_tree(&tree, changes).await
}

async fn difference(cache: &GitCache, base: &CommitId, tree: &TreeId) -> String {
    let old = cache.objects().tree_of(base).await.unwrap();
    cache.objects().diff(&old, tree).await.unwrap()
}

async fn commit(cache: &GitCache, base: &CommitId, tree: &TreeId, message: &str) -> CommitId {
    let author =
        Author { name: "digest-bump".to_owned(), email: "digest-bump@example.test".to_owned() };
    let at = Timestamp::from_millis(1_700_000_000_123);
    cache.objects().commit(base, tree, message, &author, at).await.unwrap()
}

/// A commit on `base` that appends `text` to the source.
async fn edited(cache: &GitCache, base: &CommitId, text: &str) -> CommitId {
    let mut content = read(cache, base, SOURCE).await.unwrap().unwrap();
    content.extend_from_slice(text.as_bytes());
    let tree = write(cache, base, &[change(SOURCE, &content)]).await.unwrap();
    commit(cache, base, &tree, text).await
}

#[tokio::test]
async fn a_fetch_brings_what_is_new_and_nothing_else() {
    let (world, folder) = (World::start().await, TempDir::new().unwrap());
    let cache = open(&world, &folder);
    let first = cache.fetch_branch(&main()).await.unwrap();
    assert_eq!(Some(&first), head(&world, &main()).as_ref());
    assert!(cache.objects().commit_time(&first).await.unwrap().millis() > 0);

    world.clear_requests();
    assert_eq!(cache.fetch_branch(&main()).await.unwrap(), first);
    let requests = git_requests(&world);
    assert_eq!(requests.len(), 1, "only the heads are asked for: {requests:?}");

    let second = world.commit_to("main", "README.md", b"new\n", "docs: say more");
    world.clear_requests();
    assert_eq!(cache.fetch_branch(&main()).await.unwrap().as_str(), second);
    assert_eq!(git_requests(&world).len(), 2);
    let second: CommitId = second.parse().unwrap();
    let readme = read(&cache, &second, "README.md").await.unwrap();
    assert_eq!(readme.as_deref(), Some(b"new\n".as_slice()));
    assert!(read(&cache, &first, SOURCE).await.unwrap().is_some());
}

/// Without any server: what came from elsewhere is put in piece by piece.
#[tokio::test]
async fn objects_are_asked_for_level_by_level_and_taken_only_if_they_are_what_their_ids_say() {
    let objects = Objects::scratch(None).unwrap();
    let blob = |content: &[u8]| -> BlobId {
        let id = git2::Oid::hash_object(git2::ObjectType::Blob, content).unwrap();
        id.to_string().parse().unwrap()
    };
    let entry =
        |name: &str, mode, id: &str| TreeEntry { name: name.to_owned(), mode, id: id.to_owned() };
    let (old, text) = (blob(b"old\n"), blob(b"text\n"));
    // What `git mktree` makes of these entries: a folder is sorted as if its name ended with a slash.
    let folder: TreeId = "5aee547cb3cc6746c3b6b9ba210adfd911973778".parse().unwrap();
    let root: TreeId = "0b8e66dd47e460e092907d1e0cc034e92012ccab".parse().unwrap();
    let below =
        ListedTree { id: folder.clone(), entries: vec![entry("run", 0o100_755, old.as_str())] };
    let whole = ListedTree {
        id: root.clone(),
        entries: vec![
            entry("a", FOLDER_MODE, folder.as_str()),
            entry("a.txt", 0o100_644, text.as_str()),
        ],
    };
    let paths = BTreeSet::from([path("a/run"), path("none/here")]);
    let missing = async || objects.missing(&root, &paths, Entry::Whole).await.unwrap();
    assert_eq!(missing().await, BTreeSet::from([Missing::Tree(root.clone())]));

    // A listing with another name in it is not the tree.
    let mut lie = whole.clone();
    lie.entries[1].name = "b.txt".to_owned();
    assert_eq!(objects.put_trees(vec![lie]).await.unwrap(), BTreeSet::new());
    assert_eq!(objects.put_trees(vec![whole]).await.unwrap(), BTreeSet::from([root.clone()]));
    assert_eq!(missing().await, BTreeSet::from([Missing::Tree(folder.clone())]));
    assert_eq!(objects.put_trees(vec![below]).await.unwrap(), BTreeSet::from([folder]));
    assert_eq!(missing().await, BTreeSet::from([Missing::Blob(old.clone())]));
    assert_eq!(objects.missing(&root, &paths, Entry::Named).await.unwrap(), BTreeSet::new());

    let lie = objects.put_blob(&old, b"new\n".to_vec()).await.unwrap_err();
    assert!(matches!(lie, GitError::Malformed { .. }), "{lie:?}");
    objects.put_blob(&old, b"old\n".to_vec()).await.unwrap();
    assert_eq!(missing().await, BTreeSet::new());
    let files = objects.read_files(&root, &paths).await.unwrap();
    assert_eq!(files[&path("a/run")].as_deref(), Some(b"old\n".as_slice()));
    assert_eq!(files[&path("none/here")], None);

    // An edit needs the folders on its way, and no more; the mode stays.
    let edited = objects.write_tree(&root, &[change("a/run", b"new\n")]).await.unwrap();
    let between = objects.files_between(&root, &edited).await.unwrap();
    let file = TreeFile { path: path("a/run"), executable: true, content: b"new\n".to_vec() };
    assert_eq!(between, [file]);
}

/// A tree of these files, in objects that came from no server.
async fn planted(objects: &Objects, files: &[(&str, &str)]) -> TreeId {
    let empty: TreeId = "4b825dc642cb6eb9a060e54bf8d69288fbee4904".parse().unwrap();
    objects.put_trees(vec![ListedTree { id: empty.clone(), entries: vec![] }]).await.unwrap();
    let changes: Vec<FileChange> =
        files.iter().map(|(path, content)| change(path, content.as_bytes())).collect();
    objects.write_tree(&empty, &changes).await.unwrap()
}

#[tokio::test]
async fn an_edit_conflicts_where_the_same_lines_of_its_files_moved() {
    let objects = Objects::scratch(None).unwrap();
    let (lines, edited) = ("pin: 1\n\n\nend: 1\n", "pin: 2\n\n\nend: 1\n");
    let ancestor = planted(&objects, &[("a/pin", lines), ("other", "1\n")]).await;
    let theirs = planted(&objects, &[("a/pin", edited), ("other", "1\n"), ("new", "1\n")]).await;
    let differing = objects.differing(&ancestor, &theirs).await.unwrap();
    assert_eq!(differing.paths, BTreeSet::from([path("a/pin"), path("new")]));
    assert_eq!(differing.missing, BTreeSet::new());
    for (ours, conflicts) in [
        (&[("a/pin", lines), ("other", "2\n")][..], false),
        (&[("a/pin", "pin: 1\n\n\nend: 2\n")], false),
        (&[("a/pin", edited)], false),
        (&[("a/pin", lines), ("new", "1\n")], false),
        (&[("a/pin", "pin: 3\n\n\nend: 1\n")], true),
        (&[("a/pin", lines), ("new", "2\n")], true),
        (&[("a/pin/below", lines)], true),
        (&[("other", "1\n")], true),
    ] {
        let moved = planted(&objects, ours).await;
        let found = objects.conflicts_in(&differing.paths, &ancestor, &moved, &theirs).await;
        assert_eq!(found.unwrap(), conflicts, "{ours:?}");
    }
}

#[tokio::test]
async fn what_would_be_looked_through_is_counted_before_it_is_here() {
    let (full, objects) = (Objects::scratch(None).unwrap(), Objects::scratch(None).unwrap());
    let files = [("a/text", "hello\n"), ("b", "more\n"), ("pnpm-lock.yaml", "lock\n")];
    let tree = planted(&full, &files).await;
    let texts = full.texts(&tree).await.unwrap();
    assert_eq!((texts.files, texts.bytes, texts.missing.len()), (2, 11, 0));

    let texts = objects.texts(&tree).await.unwrap();
    assert_eq!((texts.files, texts.bytes), (0, 0));
    assert_eq!(texts.missing, BTreeSet::from([Missing::Tree(tree)]));
}

#[tokio::test]
async fn a_branch_that_is_gone_is_not_found_though_it_was_fetched_once() {
    let (world, folder) = (World::start().await, TempDir::new().unwrap());
    let cache = open(&world, &folder);
    let absent = cache.fetch_branch(&branch()).await.unwrap_err();
    assert!(matches!(absent, GitError::NotFound { .. }), "{absent:?}");
    assert_eq!(cache.remote_head(&branch()).await.unwrap(), None);

    let base = cache.fetch_branch(&main()).await.unwrap();
    let commit = edited(&cache, &base, "// here\n").await;
    cache.push(&branch(), &commit, &BTreeSet::new()).await.unwrap();
    assert_eq!(cache.fetch_branch(&branch()).await.unwrap(), commit);
    assert_eq!(cache.remote_head(&branch()).await.unwrap(), Some(commit));
    world.delete_branch(branch().as_str());
    let gone = cache.fetch_branch(&branch()).await.unwrap_err();
    assert!(matches!(gone, GitError::NotFound { .. }), "{gone:?}");

    let elsewhere = format!("{}/toon-protocol/no-such-repository.git", world.git_url());
    let elsewhere =
        GitCache::scratch(&elsewhere, Some(token(&world)), &Trust::default(), None).unwrap();
    let missing = elsewhere.fetch_branch(&main()).await.unwrap_err();
    assert!(matches!(missing, GitError::NotFound { .. }), "{missing:?}");
}

#[tokio::test]
async fn only_regular_files_are_read_and_written() {
    let (world, folder) = (World::start().await, TempDir::new().unwrap());
    let odd = commit_odd_entries(world.bare_repo());
    let cache = open(&world, &folder);
    assert_eq!(cache.fetch_branch(&main()).await.unwrap(), odd);

    let wanted = BTreeSet::from([path(SOURCE), path("no/such/file")]);
    let tree = cache.objects().tree_of(&odd).await.unwrap();
    let files = cache.objects().read_files(&tree, &wanted).await.unwrap();
    assert!(files[&path(SOURCE)].is_some());
    assert_eq!(files[&path("no/such/file")], None);
    for at in ["packages", "link-inside", "module"] {
        let read = read(&cache, &odd, at).await.unwrap_err();
        assert!(matches!(read, GitError::NotAFile { .. }), "{at}: {read:?}");
        let written = write(&cache, &odd, &[change(at, b"x")]).await.unwrap_err();
        assert!(matches!(written, GitError::NotAFile { .. }), "{at}: {written:?}");
    }
    let below_a_file = format!("{SOURCE}/below");
    let below = write(&cache, &odd, &[change(&below_a_file, b"x")]).await.unwrap_err();
    assert!(matches!(below, GitError::NotAFile { .. }), "{below:?}");

    let unknown: CommitId = "1".repeat(40).parse().unwrap();
    let unknown = read(&cache, &unknown, SOURCE).await.unwrap_err();
    assert!(matches!(unknown, GitError::NotFound { .. }), "{unknown:?}");
    let large = world.commit_to("main", "large", &vec![b'x'; (8 << 20) + 1], "large");
    cache.fetch_branch(&main()).await.unwrap();
    let large = read(&cache, &large.parse().unwrap(), "large").await.unwrap_err();
    assert!(matches!(large, GitError::TooLarge { .. }), "{large:?}");
}

#[tokio::test]
async fn the_same_edit_is_the_same_commit_and_keeps_the_modes() {
    let (world, folder) = (World::start().await, TempDir::new().unwrap());
    let cache = open(&world, &folder);
    let base = cache.fetch_branch(&main()).await.unwrap();
    let changes = [
        change(SCRIPT, b"#!/bin/sh\nexit 0\n"),
        change(SOURCE, b"export {};\n"),
        change("docs/new file.md", b"new\n"),
    ];
    let tree = write(&cache, &base, &changes).await.unwrap();
    let first = commit(&cache, &base, &tree, "fix: bump\n\nbody\n").await;

    let other = open(&world, &TempDir::new().unwrap());
    other.fetch_branch(&main()).await.unwrap();
    assert_eq!(write(&other, &base, &changes).await.unwrap(), tree);
    assert_eq!(commit(&other, &base, &tree, "fix: bump\n\nbody\n").await, first);

    cache.push(&branch(), &first, &BTreeSet::new()).await.unwrap();
    let modes = modes(world.bare_repo(), &first);
    assert_eq!(modes[SCRIPT], 0o100_755);
    assert_eq!(modes[SOURCE], 0o100_644);
    assert_eq!(modes["docs/new file.md"], 0o100_644);
    assert_eq!(world.file(first.as_str(), SOURCE).unwrap(), b"export {};\n");

    let diff = difference(&cache, &base, &tree).await;
    assert!(diff.contains("+++ b/docs/new file.md") && diff.contains("\n+exit 0\n"), "{diff}");
    assert_eq!(diff.matches("diff --git").count(), 3, "{diff}");

    // What says the same as before changes nothing.
    let same = read(&cache, &base, SOURCE).await.unwrap().unwrap();
    let unchanged = write(&cache, &base, &[change(SOURCE, &same)]).await.unwrap();
    assert_eq!(difference(&cache, &base, &unchanged).await, "");
}

#[tokio::test]
async fn a_branch_is_moved_only_from_a_head_of_ours() {
    let (world, folder) = (World::start().await, TempDir::new().unwrap());
    let cache = open(&world, &folder);
    let base = cache.fetch_branch(&main()).await.unwrap();
    let first = edited(&cache, &base, "// 1\n").await;
    let second = edited(&cache, &base, "// 2\n").await;
    let nothing = BTreeSet::new();

    assert_eq!(cache.push(&branch(), &first, &nothing).await.unwrap(), Pushed::Created);
    assert_eq!(head(&world, &branch()).as_ref(), Some(&first));
    world.clear_requests();
    assert_eq!(cache.push(&branch(), &first, &nothing).await.unwrap(), Pushed::AlreadyThere);
    assert!(world.writes().is_empty());

    let foreign = cache.push(&branch(), &second, &nothing).await.unwrap_err();
    assert!(matches!(&foreign, GitError::Foreign { head } if *head == first), "{foreign:?}");
    let ours = BTreeSet::from([first.clone()]);
    assert_eq!(cache.push(&branch(), &second, &ours).await.unwrap(), Pushed::Moved);
    assert_eq!(head(&world, &branch()).as_ref(), Some(&second));

    // A person works on the branch: it stays theirs, whatever we knew before.
    let theirs = world.commit_to(branch().as_str(), "notes.md", b"mine\n", "a person's");
    let ours = BTreeSet::from([first.clone(), second]);
    world.clear_requests();
    let foreign = cache.push(&branch(), &first, &ours).await.unwrap_err();
    assert!(matches!(&foreign, GitError::Foreign { head } if head.as_str() == theirs));
    assert!(world.writes().is_empty());
    assert_eq!(head(&world, &branch()).unwrap().as_str(), theirs);
}

#[tokio::test]
async fn a_refused_push_says_why() {
    let (world, folder) = (World::start().await, TempDir::new().unwrap());
    let cache = open(&world, &folder);
    let base = cache.fetch_branch(&main()).await.unwrap();
    let commit = edited(&cache, &base, "// 1\n").await;
    let hook = world.bare_repo().join("hooks/update");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\necho 'protected by a rule' >&2\nexit 1\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();

    let rejected = cache.push(&branch(), &commit, &BTreeSet::new()).await.unwrap_err();
    let GitError::Rejected { message } = rejected else {
        panic!("{rejected:?}");
    };
    assert_eq!(message, "hook declined");
    assert_eq!(head(&world, &branch()), None);
}

#[tokio::test]
async fn a_bad_token_is_denied_after_one_request() {
    let (world, folder) = (World::start().await, TempDir::new().unwrap());
    let good = open(&world, &folder);
    let base = good.fetch_branch(&main()).await.unwrap();
    let commit = edited(&good, &base, "// 1\n").await;

    for token in [Some(SecretString::from("stale")), None] {
        world.clear_requests();
        let bad =
            GitCache::open(&folder.path().join("cache"), &url(&world), token, &Trust::default())
                .unwrap();
        let denied = bad.push(&branch(), &commit, &BTreeSet::new()).await.unwrap_err();
        assert!(matches!(denied, GitError::Denied { status: 401 }), "{denied:?}");
        assert_eq!(git_requests(&world).len(), 1);
    }
    world.clear_requests();
    let stale = Some(SecretString::from("stale"));
    let bad = GitCache::scratch(&url(&world), stale, &Trust::default(), None).unwrap();
    let denied = bad.fetch_branch(&main()).await.unwrap_err();
    assert!(matches!(denied, GitError::Denied { status: 401 }), "{denied:?}");
    assert_eq!(git_requests(&world).len(), 1);
}

#[tokio::test]
async fn the_token_and_the_url_are_in_no_file() {
    let (world, folder) = (World::start().await, TempDir::new().unwrap());
    let cache = open(&world, &folder);
    let base = cache.fetch_branch(&main()).await.unwrap();
    let commit = edited(&cache, &base, "// 1\n").await;
    cache.push(&branch(), &commit, &BTreeSet::new()).await.unwrap();
    assert!(!format!("{cache:?}").contains(world.token()));
    let mut files = 0;
    for file in files_below(folder.path()) {
        let content = fs::read(&file).unwrap();
        for secret in [world.token(), world.git_url().as_str()] {
            let found = content.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{}", file.display());
        }
        files += 1;
    }
    assert!(files > 3);
}

#[tokio::test]
async fn an_export_is_the_tree_without_git_and_without_a_way_out() {
    let (world, folder) = (World::start().await, TempDir::new().unwrap());
    let odd = commit_odd_entries(world.bare_repo());
    let cache = open(&world, &folder);
    cache.fetch_branch(&main()).await.unwrap();
    let tree = write(&cache, &odd, &[]).await.unwrap();
    let into = folder.path().join("export");
    let left_out = cache.objects().export(&tree, &into).await.unwrap();
    assert_eq!(left_out, ["link-absolute", "link-outside"]);

    let modes = modes(world.bare_repo(), &odd);
    for (path, mode) in &modes {
        let file = into.join(path);
        match *mode {
            0o100_644 | 0o100_755 => {
                assert_eq!(world.file(odd.as_str(), path), fs::read(&file).ok(), "{path}");
                let executable = fs::metadata(&file).unwrap().permissions().mode() & 0o100 != 0;
                assert_eq!(executable, *mode == 0o100_755, "{path}");
            }
            0o160_000 => assert!(file.is_dir(), "{path}"),
            _ => {}
        }
    }
    let link = fs::read_link(into.join("link-inside")).unwrap();
    assert_eq!(link, Path::new(SOURCE));
    let regular =
        modes.values().filter(|mode| **mode & 0o100_000 == 0o100_000 && **mode < 0o120_000);
    assert_eq!(files_below(&into).len(), regular.count());
    assert!(!into.join(".git").exists());

    let full = cache.objects().export(&tree, &into).await.unwrap_err();
    assert!(matches!(full, GitError::Io(_)), "{full:?}");
}

/// All regular files below `folder`, sorted.
fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files.extend(files_below(&entry.path()));
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    files
}

/// The mode of everything in a commit's tree.
fn modes(repository: &Path, commit: &CommitId) -> BTreeMap<String, i32> {
    let repository = git2::Repository::open_bare(repository).unwrap();
    let id = git2::Oid::from_str(commit.as_str()).unwrap();
    let tree = repository.find_commit(id).unwrap().tree().unwrap();
    let mut modes = BTreeMap::new();
    tree.walk(git2::TreeWalkMode::PreOrder, |folder, entry| {
        modes.insert(format!("{folder}{}", entry.name().unwrap()), entry.filemode());
        git2::TreeWalkResult::Ok
    })
    .unwrap();
    modes
}

/// Puts links and a submodule on the main branch.
fn commit_odd_entries(repository: &Path) -> CommitId {
    let repository = git2::Repository::open_bare(repository).unwrap();
    let main = repository.find_reference("refs/heads/main").unwrap();
    let parent = main.peel_to_commit().unwrap();
    let mut update = git2::build::TreeUpdateBuilder::new();
    for (name, target) in [
        ("link-inside", SOURCE),
        ("link-absolute", "/etc/passwd"),
        ("link-outside", "packages/../../secret"),
    ] {
        let target = repository.blob(target.as_bytes()).unwrap();
        update.upsert(name, target, git2::FileMode::Link);
    }
    update.upsert("module", parent.id(), git2::FileMode::Commit);
    let tree = update.create_updated(&repository, &parent.tree().unwrap()).unwrap();
    let tree = repository.find_tree(tree).unwrap();
    let person =
        git2::Signature::new("A Person", "p@example.test", &git2::Time::new(1, 0)).unwrap();
    let name = Some("refs/heads/main");
    let id = repository.commit(name, &person, &person, "odd", &tree, &[&parent]).unwrap();
    id.to_string().parse().unwrap()
}
