//! The dashboard issue: one text that says where a watch stands, and stays true until it is
//! rewritten. From the same view as `status` and the status page.

use super::{
    boxes::{AS_OF, dashboard_marker, open_box},
    fence::fenced,
    fit::MAX_BODY,
    notes::{brief, safe_url},
    order_book::order_line,
    view::{ProposalView, ReleaseView, WatchView},
};
use crate::domain::{Bump, HowToAsk, ImageName, OrderBook, RepoName, Timestamp, Version, Wish};
use crate::edit::cell;
use crate::policy::Stage;

/// How many answers to requests are shown, the newest first.
const ANSWERS_SHOWN: usize = 5;

/// How many of the releases that a newer one contains are named on its line, the newest first.
const CONTAINED_SHOWN: usize = 20;

/// Everything that a dashboard says.
#[derive(Debug)]
pub struct Dashboard<'a> {
    /// The watch, as `status` shows it.
    pub view: &'a WatchView,
    /// The downstream.
    pub repository: &'a RepoName,
    /// The watched image.
    pub image: &'a ImageName,
    /// Whether ticking a box asks for a release.
    pub boxes: bool,
    /// How readers ask the bot for something.
    pub how: &'a HowToAsk,
    /// Where readers reach the status page, if they do.
    pub public_url: Option<&'a str>,
    /// The orders that are in force, which it keeps.
    pub orders: Option<&'a OrderBook>,
    /// When it is written.
    pub now: Timestamp,
}

/// The title, from the config's template with `{image}`.
#[must_use]
pub fn dashboard_title(template: &str, image: &ImageName) -> String {
    template.replace("{image}", image.short())
}

/// The body in Markdown.
#[must_use]
pub fn dashboard_body(dashboard: &Dashboard<'_>) -> String {
    let foot = foot(dashboard);
    let mut page = Page { text: head(dashboard), room: MAX_BODY - foot.len(), full: false };
    let view = dashboard.view;
    page.list("Look at this", "", &texts(&view.alarms));
    page.list("Standing orders", "", &texts(&view.standing));
    page.list("Drift", &in_line(dashboard), &texts(&view.drift));
    page.piece(&hunks(view));
    let open = view.proposals.iter().filter(|pull| pull.state == "open");
    page.list("Proposed", "", &open.map(|pull| proposed(view, pull)).collect::<Vec<_>>());
    for group in Group::ALL {
        let of_group = |it: &&ReleaseView| group_of(&it.stage) == Some(group);
        let items = view.releases.iter().filter(of_group).filter(|it| !is_told_with(it, view));
        let items: Vec<String> = items.map(|it| item(it, view, dashboard.boxes)).collect();
        page.list(group.title(), group.note(dashboard.boxes), &items);
    }
    page.list("Asked for", "", &answers(view));
    if page.text.len() == head(dashboard).len() {
        page.text.push_str("\n\nNothing is proposed, offered, held or waited for.");
    }
    if page.full {
        page.text.push_str(&cut(dashboard.public_url));
    }
    format!("{}\n\n{foot}", page.text)
}

/// The text so far, and how much of it there may be.
struct Page {
    text: String,
    room: usize,
    full: bool,
}

impl Page {
    /// Appends a section, if it has anything to say: whole items only, so that a cut never falls
    /// inside one.
    fn list(&mut self, title: &str, note: &str, items: &[String]) {
        let Some(first) = items.first() else { return };
        let note = if note.is_empty() { String::new() } else { format!("{note}\n\n") };
        self.push(&format!("\n\n### {title}\n\n{note}- {first}"));
        for item in &items[1..] {
            self.push(&format!("\n- {item}"));
        }
    }

    /// Appends a piece, if there is one, and room for all of it.
    fn piece(&mut self, piece: &str) {
        if !piece.is_empty() && self.text.len() + piece.len() <= self.room {
            self.push(piece);
        }
    }

    fn push(&mut self, piece: &str) {
        self.full |= self.text.len() + piece.len() > self.room;
        if !self.full {
            self.text.push_str(piece);
        }
    }
}

/// How releases are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Offered,
    Held,
    Waiting,
    Declined,
    Others,
}

impl Group {
    const ALL: [Self; 5] = [Self::Offered, Self::Held, Self::Waiting, Self::Declined, Self::Others];

    const fn title(self) -> &'static str {
        match self {
            Self::Offered => "Offered",
            Self::Held => "Held",
            Self::Waiting => "Waiting",
            Self::Declined => "Declined",
            Self::Others => "Not proposed",
        }
    }

    const fn note(self, boxes: bool) -> &'static str {
        match self {
            Self::Offered if boxes => {
                "Whoever ticks a box asks for its release, as the command does; the next pass \
                 answers."
            }
            Self::Offered | Self::Held | Self::Waiting | Self::Declined | Self::Others => "",
        }
    }
}

fn item(release: &ReleaseView, view: &WatchView, boxes: bool) -> String {
    let ReleaseView { version, bump, lasting, evidence, .. } = release;
    let name = match safe_url(&release.url) {
        "#" => format!("**{version}**"),
        url => format!("**[{version}]({url})**"),
    };
    let bump = if *bump == Bump::None { String::new() } else { format!(" ({bump})") };
    let offered = boxes && release.stage == Stage::Offered;
    let tick = if offered { format!("{} ", open_box(version)) } else { String::new() };
    let points = evidence.iter().map(|line| format!("\n  - {}", brief(line)));
    let (told, contained) = (cell(lasting), contained_in(version, view));
    format!("{tick}{name}{bump}: {told}{contained}{}", points.collect::<String>())
}

/// Whether a release is named on the line of the newer one that contains it, and has none of its own:
/// there is nothing else to be told of it.
fn is_told_with(release: &ReleaseView, view: &WatchView) -> bool {
    let Stage::Covered { by } = &release.stage else { return false };
    let newer = view.releases.iter().find(|newer| newer.version == *by);
    release.understated.is_empty() && newer.is_some_and(|newer| has_line(&newer.stage, view))
}

/// Whether a release at this stage has a line of its own, or one of its pull request's.
fn has_line(stage: &Stage, view: &WatchView) -> bool {
    match stage {
        Stage::Proposed { pull, .. } => {
            view.proposals.iter().any(|it| it.number == pull.0 && it.state == "open")
        }
        Stage::Covered { .. } => false,
        stage => group_of(stage).is_some(),
    }
}

/// The releases that this one contains and that have no line of their own, as the end of its line.
fn contained_in(newer: &Version, view: &WatchView) -> String {
    let by_it = |it: &&ReleaseView| matches!(&it.stage, Stage::Covered { by } if by == newer);
    let told = view.releases.iter().filter(by_it).filter(|it| is_told_with(it, view));
    let mut versions: Vec<String> = told.map(|it| it.version.to_string()).collect();
    if versions.is_empty() {
        return String::new();
    }
    let more = versions.len().saturating_sub(CONTAINED_SHOWN);
    versions.truncate(CONTAINED_SHOWN);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!(" (contains {}{more})", versions.join(", "))
}

/// Where a release is listed; `None` if it is said elsewhere.
const fn group_of(stage: &Stage) -> Option<Group> {
    match stage {
        Stage::Offered | Stage::Migrated => Some(Group::Offered),
        Stage::Held { .. } => Some(Group::Held),
        Stage::Queued { .. }
        | Stage::Checking
        | Stage::Waiting { .. }
        | Stage::CanaryRunning { .. }
        | Stage::Ready => Some(Group::Waiting),
        Stage::Declined { .. } => Some(Group::Declined),
        Stage::Skipped { .. } | Stage::Covered { .. } => Some(Group::Others),
        Stage::Pinned | Stage::Older | Stage::Proposed { .. } => None,
    }
}

fn head(dashboard: &Dashboard<'_>) -> String {
    let Dashboard { view, repository, image, .. } = dashboard;
    if let (Some(version), Some(digest)) = (&view.pinned, &view.digest) {
        return format!("`{repository}` pins `{image}` at **{version}**, `{digest}`.");
    }
    let fault = view.pin_fault.as_deref().unwrap_or("nothing was observed yet");
    format!("What `{repository}` pins of `{image}` is unknown: {}.", cell(fault))
}

/// What is written and read again by the bot: what a reader should know of it, and its marker.
fn foot(dashboard: &Dashboard<'_>) -> String {
    let watch = &dashboard.view.watch;
    let kept = dashboard.orders.map(|book| format!("\n\n{}", order_line(watch, book)));
    let help = dashboard.how.help();
    let help = help.map(|help| format!("Comment {help} for all commands.\n\n"));
    format!(
        "---\n\n{}{AS_OF}{}, when a pass last had something new to say.\n\n\
         *The bot rewrites this text when it says something else, and what others write into it is \
         lost. Title and labels are yours. Close this issue to silence it: no other one is opened, \
         and reopening it brings it back.*\n\n{}{}",
        help.unwrap_or_default(),
        dashboard.now,
        dashboard_marker(watch),
        kept.unwrap_or_default()
    )
}

fn cut(public_url: Option<&str>) -> String {
    let page =
        public_url.map(safe_url).map(|url| format!(", and so does [the status page]({url})"));
    let page = page.unwrap_or_default();
    format!(
        "\n\n*… cut here: there is more than an issue holds.* `digest-bump status` shows all{page}."
    )
}

/// How pin sites that disagree are brought in line, where there may be any.
fn in_line(dashboard: &Dashboard<'_>) -> String {
    let Dashboard { view, how, .. } = dashboard;
    let Some(pinned) = view.pinned.as_ref().filter(|_| view.drifted) else { return String::new() };
    let bump = how.say(Wish::Bump, pinned);
    format!("The next bump brings pin sites in line; {bump} does that alone.")
}

/// Where the copy of the contract differs.
fn hunks(view: &WatchView) -> String {
    let Some(hunks) = &view.mirror_hunks else { return String::new() };
    format!(
        "\n\n<details>\n<summary>Where the copy of the contract differs: what would make it \
         one</summary>\n\n{}\n\n</details>",
        fenced(hunks, "diff")
    )
}

fn texts(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| cell(line)).collect()
}

fn proposed(view: &WatchView, pull: &ProposalView) -> String {
    let release = view.releases.iter().find(
        |release| matches!(&release.stage, Stage::Proposed { pull: it, .. } if it.0 == pull.number),
    );
    let hands_off =
        release.is_some_and(|it| matches!(it.stage, Stage::Proposed { hands_off: true, .. }));
    let contained = release.map(|it| contained_in(&it.version, view)).unwrap_or_default();
    let more = match (pull.draft, hands_off) {
        (true, _) => ", a draft that waits for the downstream's own checks",
        (false, true) => "; a person works on its branch, hands off",
        (false, false) => "",
    };
    let (number, url, title) = (pull.number, safe_url(&pull.url), brief(&pull.title));
    format!("[#{number}]({url}): {title}{contained}{more}")
}

/// What was asked for and is neither proposed nor over.
fn answers(view: &WatchView) -> Vec<String> {
    let open = |stage: &Stage| !matches!(stage, Stage::Proposed { .. } | Stage::Pinned);
    let bumps = view.requests.iter().filter(|asked| asked.wish == Wish::Bump);
    let stands = bumps.filter(|asked| {
        let mut releases = view.releases.iter();
        asked.state != "granted"
            && releases.any(|release| release.version == asked.version && open(&release.stage))
    });
    let lines = stands.take(ANSWERS_SHOWN).map(|asked| {
        let answer = asked.answer.as_deref().map(|it| format!(": {}", cell(it)));
        let (version, actor) = (&asked.version, brief(&asked.actor));
        format!("**{version}**, by {actor}: {}{}", asked.state, answer.unwrap_or_default())
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PullNumber;
    use crate::render::dashboard_of;

    fn view(releases: Vec<ReleaseView>) -> WatchView {
        WatchView {
            watch: "townhouse".to_owned(),
            pinned: "3.9.3".parse().ok(),
            digest: Some("sha256:aa".to_owned()),
            pin_fault: None,
            drift: Vec::new(),
            drifted: false,
            mirror_hunks: None,
            alarms: Vec::new(),
            last_pass: None,
            last_pass_ago: None,
            troubles: Vec::new(),
            releases,
            older: 0,
            ignored: Vec::new(),
            proposals: Vec::new(),
            requests: Vec::new(),
            standing: Vec::new(),
            orders: Vec::new(),
        }
    }

    fn release(version: &str, stage: Stage, lasting: &str) -> ReleaseView {
        ReleaseView {
            version: version.parse().unwrap(),
            bump: Bump::Patch,
            understated: Vec::new(),
            published_at: String::new(),
            url: "https://example.test/r) [x](".to_owned(),
            word: "",
            line: String::new(),
            lasting: lasting.to_owned(),
            evidence: vec![lasting.to_owned()],
            stage,
        }
    }

    fn body(view: &WatchView) -> String {
        body_for(&HowToAsk::CommandLine, view)
    }

    fn body_for(how: &HowToAsk, view: &WatchView) -> String {
        dashboard_body(&Dashboard {
            view,
            repository: &"o/town".parse().unwrap(),
            image: &"ghcr.io/o/connector".parse().unwrap(),
            boxes: true,
            how,
            public_url: Some("https://bumps.example"),
            orders: None,
            now: Timestamp::from_millis(0),
        })
    }

    #[test]
    fn what_is_too_long_is_cut_between_items_and_stays_what_it_is() {
        let many = (0..500).map(|n| release(&format!("3.9.{n}"), Stage::Offered, &"@".repeat(900)));
        let view = view(many.collect());
        let body = body(&view);
        assert!(body.len() < 65_536, "{}", body.len());
        assert_eq!(dashboard_of(&body).unwrap().as_str(), "townhouse");
        assert!(body.contains("*… cut here") && body.contains("(https://bumps.example)"));
        let (items, points) = (body.matches("\n- [ ] ").count(), body.matches("\n  - ").count());
        assert!(items > 3 && items == points, "{items} {points}");
    }

    #[test]
    fn what_is_contained_is_named_on_the_line_of_what_contains_it() {
        let by = |version: &str| Stage::Covered { by: version.parse().unwrap() };
        let covered = |version: &str, newer: &str| {
            release(version, by(newer), &format!("{newer} contains it"))
        };
        let proposed = Stage::Proposed { pull: PullNumber(7), hands_off: false };
        let mut understated = covered("3.10.0", "3.12.0");
        understated.understated = vec!["it breaks".to_owned()];
        let mut view = view(vec![
            release("3.12.0", proposed, ""),
            covered("3.11.0", "3.12.0"),
            covered("3.10.1", "3.12.0"),
            understated,
            release("3.9.9", Stage::Offered, "every check passed"),
            covered("3.9.8", "3.9.9"),
            // What contains it is not listed.
            covered("3.9.7", "3.9.6"),
        ]);
        view.proposals = vec![ProposalView {
            number: 7,
            title: "bump".to_owned(),
            url: "https://example.test/7".to_owned(),
            state: "open",
            kind: None,
            draft: false,
        }];
        let body = body(&view);
        let lines = |what: &str| body.lines().filter(|it| it.contains(what)).collect::<Vec<_>>();
        assert!(lines("[#7]")[0].ends_with(": bump (contains 3.11.0, 3.10.1)"), "{body}");
        assert!(lines("**3.9.9**")[0].ends_with("passed (contains 3.9.8)"), "{body}");
        let (_, others) = body.split_once("### Not proposed").unwrap();
        let alone: Vec<&str> = others.lines().filter(|it| it.starts_with("- ")).collect();
        assert!(alone.len() == 2 && alone[0].contains("3.10.0"), "{body}");
        assert!(alone[1].contains("3.9.7"), "{body}");

        let many = (0..30).map(|n| covered(&format!("3.8.{n}"), "3.12.0"));
        view.releases.truncate(1);
        view.releases.extend(many);
        let body = self::body(&view);
        assert!(body.contains("3.8.19 and 10 more)") && !body.contains("3.8.20"), "{body}");
    }

    #[test]
    fn foreign_words_reach_nobody_and_forge_nothing() {
        let forged = "@someone #1 <b>\n- [x] <!-- request 3.9.9 -->\n\
            <!-- digest-bump:dashboard:1 other -->\nAs of ";
        let mut view = view(vec![release("3.9.4", Stage::Offered, forged)]);
        view.alarms = vec![forged.to_owned()];
        view.drift = vec![forged.to_owned()];
        view.proposals = vec![ProposalView {
            number: 7,
            title: forged.to_owned(),
            url: "javascript:1".to_owned(),
            state: "open",
            kind: None,
            draft: false,
        }];
        let body = body(&view);
        assert!(!body.contains("@someone") && !body.contains(" #1") && !body.contains("<b>"));
        assert!(body.contains("[#7](#): ") && !body.contains("example.test"));
        assert_eq!(crate::render::ticked(&body), std::collections::BTreeSet::new());
        assert_eq!(dashboard_of(&body).unwrap().as_str(), "townhouse");
        assert_eq!(body.lines().filter(|line| line.starts_with(AS_OF)).count(), 1);
    }

    #[test]
    fn a_pin_that_is_unknown_is_told_and_nothing_due_as_well() {
        let mut view = view(Vec::new());
        view.pinned = None;
        view.pin_fault = Some("`x` is not there".to_owned());
        insta::assert_snapshot!(body(&view), @"
        What `o/town` pins of `ghcr.io/o/connector` is unknown: `x` is not there.

        Nothing is proposed, offered, held or waited for.

        ---

        As of 1970-01-01T00:00:00Z, when a pass last had something new to say.

        *The bot rewrites this text when it says something else, and what others write into it is lost. Title and labels are yours. Close this issue to silence it: no other one is opened, and reopening it brings it back.*

        <!-- digest-bump:dashboard:1 townhouse -->
        ");
    }

    #[test]
    fn whoever_reads_it_is_told_what_to_comment() {
        let mut view = view(Vec::new());
        view.drift = vec!["a.yml says 3.9.2".to_owned()];
        view.drifted = true;
        let comment = HowToAsk::Comment { prefix: "/pin".to_owned() };
        insta::assert_snapshot!(body_for(&comment, &view), @"
        `o/town` pins `ghcr.io/o/connector` at **3.9.3**, `sha256:aa`.

        ### Drift

        The next bump brings pin sites in line; `/pin 3.9.3` does that alone.

        - a.yml says 3.9.2

        ---

        Comment `/pin help` for all commands.

        As of 1970-01-01T00:00:00Z, when a pass last had something new to say.

        *The bot rewrites this text when it says something else, and what others write into it is lost. Title and labels are yours. Close this issue to silence it: no other one is opened, and reopening it brings it back.*

        <!-- digest-bump:dashboard:1 townhouse -->
        ");
        assert!(body(&view).contains("; `digest-bump request bump 3.9.3` does that alone."));
    }
}
