//! The townhouse's history with the whole bot in it: what people bumped to is proposed or one
//! request away, and what they forgot is not forgotten.

use crate::bumps::{BUMPS, Bump, FIRST, Pin, SITES, Site, Spelled, bumped, first};
use crate::stand::{Stand, run_in};
use digest_bump::{domain::ProposalKind, render::parse_marker};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};
use world::{Pull, World, WorldBuilder};

/// The comment above `DEFAULT_CONNECTOR_TAG`, which is older than the line.
const ABOVE_THE_TAG: &str =
    "// Shown to operators, and compared with what the running connector says of itself.\n";

/// What is to come later, as it would be at the first pin.
type Later = Arc<Mutex<BTreeMap<&'static str, String>>>;

/// A world at the history's beginning.
fn beginning() -> (WorldBuilder, Later) {
    let later = Later::default();
    let keep = later.clone();
    let builder = World::builder().pinned(FIRST).town(move |files| {
        let mut keep = keep.lock().unwrap();
        for site in BUMPS.iter().flat_map(|bump| bump.new).map(|name| Site::named(name)) {
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
            if site.name == "DEFAULT_CONNECTOR_TAG" {
                let whole = text(files[site.path].clone());
                let (above, rest) = whole.split_once(ABOVE_THE_TAG).unwrap();
                let (line, rest) = rest.split_once('\n').unwrap();
                keep.insert(site.name, format!("{ABOVE_THE_TAG}{line}\n"));
                let without = format!("{above}{ABOVE_THE_TAG}{rest}");
                files.insert(site.path.to_owned(), without.into_bytes());
            } else if let Some(bytes) = files.remove(site.path) {
                keep.insert(site.path, text(bytes));
            }
        }
    });
    (builder, later)
}

/// The townhouse as people have left it.
struct Town<'a> {
    stand: &'a Stand,
    later: Later,
    spelled: Spelled,
    pinned: Pin,
}

impl<'a> Town<'a> {
    fn new(stand: &'a Stand, later: Later) -> Self {
        let pinned = pin(stand, FIRST);
        Self { stand, later, spelled: first(&pinned), pinned }
    }

    fn read(&self, path: &str) -> String {
        String::from_utf8(self.stand.world.file("main", path).unwrap()).unwrap()
    }

    fn commit(&self, path: &str, text: &str, message: &str) {
        self.stand.world.commit_to("main", path, text.as_bytes(), message);
    }

    /// People add sites, at the pin as it is now.
    fn add(&mut self, names: &[&'static str]) {
        let first = pin(self.stand, FIRST);
        let mut files = BTreeMap::new();
        let later = self.later.lock().unwrap();
        for site in names.iter().map(|name| Site::named(name)) {
            if site.name == "DEFAULT_CONNECTOR_TAG" {
                let line = site.respelled(&later[site.name], &first, &self.pinned);
                files.insert(site.path, self.read(site.path).replace(ABOVE_THE_TAG, &line));
            } else {
                let text = files.entry(site.path).or_insert_with(|| later[site.path].clone());
                *text = site.respelled(text, &first, &self.pinned);
            }
            self.spelled.insert(site.name, self.pinned.clone());
        }
        for (path, text) in files {
            self.commit(path, &text, "feat(townhouse): one more place with the pin");
        }
    }

    /// The bump is out, and so is what people passed over.
    async fn released(&self, bump: &Bump) {
        for version in bump.over.iter().chain([&bump.to]) {
            self.stand.wait(7);
            self.stand.world.release(version).publish().await;
            self.settle().await;
        }
    }

    /// Settles, and looks at what was open on the way.
    async fn settle(&self) {
        self.stand.settle().await;
        let pulls = self.stand.world.pulls();
        let mut open: BTreeMap<bool, BTreeSet<u64>> = BTreeMap::new();
        for (number, action) in self.stand.world.pull_events() {
            let pull = pulls.iter().find(|pull| pull.number == number).unwrap();
            let of_the_kind = open.entry(is_stub(pull)).or_default();
            match action.as_str() {
                "opened" | "reopened" => assert!(of_the_kind.insert(number)),
                "closed" => assert!(of_the_kind.remove(&number)),
                _ => {}
            }
            assert!(of_the_kind.len() <= 1, "open at the same time: {of_the_kind:?}");
        }
    }

    /// The proposal of the bump that people made, asked for if it was but offered.
    async fn proposal(&self, bump: &Bump) -> Pull {
        let (from, to) = (&self.pinned.version, bump.to);
        let (word, line) = self.stand.stage(to).await;
        if minor(from) == minor(to) {
            let offer = format!("every check passed; `digest-bump request bump {to}` proposes it");
            assert_eq!((word.as_str(), line), ("offered", offer));
            assert_eq!(self.proposals(), []);
            self.stand.request(to).await;
            self.settle().await;
            let granted = format!("{to} granted: pull request #");
            assert!(self.stand.requests().await.starts_with(&granted));
        } else {
            assert_eq!(word, "proposed", "{to}: {line}");
        }
        let mut proposals = self.proposals();
        assert_eq!(proposals.len(), 1, "{to}: {proposals:#?}");
        proposals.remove(0)
    }

    /// The open pull requests that move the pin.
    fn proposals(&self) -> Vec<Pull> {
        let mut open = self.stand.world.open_pulls();
        open.retain(|pull| !is_stub(pull));
        open
    }

    /// Whether the pull request moves every line that is there and nothing else, and says what it
    /// skips and what it repairs.
    fn judge(&self, pull: &Pull, to: &Pin) {
        let from = &self.pinned;
        let title = format!("chore(connector): bump {} → {}", from.version, to.version);
        assert_eq!(pull.title, title);
        let branch = &pull.head_branch;
        let files = bumped(&self.spelled, to, |path| self.read(path));
        let changed = self.stand.git(&["diff", "--name-only", "main", branch]);
        assert_eq!(changed.lines().collect::<BTreeSet<_>>(), files.keys().copied().collect());
        for (path, text) in files {
            let proposed = self.stand.world.file(branch, path).unwrap();
            assert_eq!(String::from_utf8(proposed).unwrap(), text, "{path} at {}", to.version);
        }
        let repairs = pull.body.lines().filter(|line| line.contains("drift that this repairs"));
        let repairs: Vec<&str> = repairs.collect();
        assert_eq!(repairs.len(), self.behind().len(), "{repairs:#?}");
        for site in &SITES {
            let Site { name, path, .. } = site;
            match self.spelled.get(name) {
                None => {
                    let skipped = format!("{path} ({name}): absent, skipped");
                    assert!(pull.body.contains(&skipped), "{skipped}: {}", pull.body);
                }
                Some(at) => {
                    let line = site.line(&self.read(path), at);
                    let place = format!("{path}:{line} ({name})");
                    let moved = format!("{place}: {} → {}", site.shown(at), site.shown(to));
                    assert!(pull.body.contains(&moved), "{moved}: {}", pull.body);
                    let repaired = format!("{place} spells {}, the pin is", site.shown(at));
                    let named = repairs.iter().any(|line| line.contains(&repaired));
                    assert_eq!(named, at != from, "{repaired}: {repairs:#?}");
                }
            }
        }
    }

    /// The sites that spell another pin than the townhouse's.
    fn behind(&self) -> Vec<&'static str> {
        let behind = self.spelled.iter().filter(|(_, at)| **at != self.pinned);
        behind.map(|(name, _)| *name).collect()
    }

    /// People bump: they merge what is proposed, or where they forgot a site they did it by hand.
    async fn bump(&mut self, bump: &Bump, pull: &Pull) {
        let to = pin(self.stand, bump.to);
        let mut moved = self.spelled.clone();
        moved.retain(|name, _| !bump.forgotten.contains(name));
        if bump.forgotten.is_empty() {
            self.stand.world.merge(pull.number);
        } else {
            for (path, text) in bumped(&moved, &to, |path| self.read(path)) {
                self.commit(path, &text, &pull.title);
            }
        }
        for at in moved.values_mut() {
            *at = to.clone();
        }
        self.spelled.extend(moved);
        self.pinned = to;
        self.settle().await;
    }

    /// The pin is where people wanted it, what they forgot is known, and nothing is open.
    async fn judge_the_end(&self, bump: &Bump, pull: &Pull) {
        let stage = self.stand.stage(bump.to).await;
        assert_eq!(stage, ("pinned".to_owned(), "the downstream pins it".to_owned()));
        assert_eq!(self.proposals(), []);
        let drift = self.stand.view().await.drift;
        assert_eq!(drift.len(), self.behind().len(), "{drift:#?}");
        for name in self.behind() {
            let known = drift.iter().any(|line| line.contains(&format!("({name}) spells")));
            assert!(known, "{name}: {drift:#?}");
        }
        let mut pulls = self.stand.world.pulls().into_iter();
        let pull = pulls.find(|it| it.number == pull.number).unwrap();
        let by_hand = !bump.forgotten.is_empty();
        assert_eq!((pull.state.as_str(), pull.merged), ("closed", !by_hand));
        let closed = format!("**Closed by the bot: the pin is at {} already.**", bump.to);
        assert_eq!(pull.body.starts_with(&closed), by_hand, "{}", pull.body);
    }
}

fn pin(stand: &Stand, version: &str) -> Pin {
    let digest = stand.world.image_digest(version).unwrap();
    Pin { version: version.to_owned(), digest }
}

fn minor(version: &str) -> &str {
    version.rsplit_once('.').unwrap().0
}

/// By the branch, for one that was taken back has no marker any more.
fn is_stub(pull: &Pull) -> bool {
    let by_branch = pull.head_branch.ends_with("-migration");
    let marked = parse_marker(&pull.body);
    assert!(marked.is_none_or(|it| (it.kind == ProposalKind::MigrationStub) == by_branch));
    by_branch
}

/// Plays these bumps; a MAJOR is out after one of them, if after any.
async fn play(stand: &mut Stand, later: Later, bumps: &[Bump], major_after: Option<&str>) {
    // The manifest is not there for long: the pin is looked for where it really is.
    stand.canary_script(
        "grep -qxF \"  'ghcr.io/toon-protocol/connector@$EXPECT_DIGEST';\" \
         packages/townhouse/src/constants.ts",
    );
    let mut town = Town::new(stand, later);
    for bump in bumps {
        town.add(bump.new);
        town.released(bump).await;
        let pull = town.proposal(bump).await;
        town.judge(&pull, &pin(stand, bump.to));
        town.bump(bump, &pull).await;
        town.judge_the_end(bump, &pull).await;
        if major_after == Some(bump.to) {
            let notes = "### ⚠ BREAKING CHANGES\n\n* the field `balance` is gone\n";
            stand.world.release("4.0.0").notes(notes).publish().await;
            town.settle().await;
        }
    }
    assert_eq!(town.behind(), [""; 0]);
}

#[test]
fn thirteen_of_the_sixteen_bumps_are_patches() {
    let pins: Vec<&str> = [FIRST].into_iter().chain(BUMPS.iter().map(|bump| bump.to)).collect();
    let patches = pins.windows(2).filter(|pair| minor(pair[0]) == minor(pair[1])).count();
    assert_eq!((patches, BUMPS.len()), (13, 16));
    let forgotten = |site| BUMPS.iter().filter(|bump| bump.forgotten.contains(&site)).count();
    assert_eq!(["compose", "dev compose", "publish workflow"].map(forgotten), [4, 3, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bump_that_people_made_is_proposed_or_one_request_away() {
    let (builder, later) = beginning();
    run_in(builder, async |stand| {
        play(stand, later, &BUMPS, None).await;
        assert_eq!(stand.open(), [""; 0]);
        // What was not merged was closed because of a bump by hand.
        let merged = stand.world.pulls().iter().filter(|pull| pull.merged).count();
        assert_eq!((merged, stand.world.pulls().len()), (8, 16));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_major_that_waits_meanwhile_is_the_only_one_of_its_kind() {
    let (builder, later) = beginning();
    run_in(builder, async |stand| {
        // Some bumps by hand, some merged, and a MINOR that was passed over.
        play(stand, later, &BUMPS[..8], Some("3.7.0")).await;
        let open = stand.open();
        assert_eq!(open.len(), 1, "{open:?}");
        insta::assert_snapshot!(open[0], @"docs(connector): migration stub for 3.7.0 → 4.0.0");
    })
    .await;
}
