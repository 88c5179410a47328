//! The townhouse's bumps from 3.6.3 to 3.10.4, and what its lines spell. Shared by the tests that
//! play them through `pin` and through the whole bot.
//!
//! Known of the real history: 3.6.3, where it begins; 3.9.3 and after it 3.10.0, where two files
//! stayed; 3.10.3 and 3.10.4, where it ends. Sixteen bumps were counted, thirteen of them patches.
//! The compose file was forgotten four times, the dev compose three times, the workflow once.
//! `DEFAULT_CONNECTOR_TAG` is younger than `DEFAULT_CONNECTOR_IMAGE`, and the manifest was built,
//! not tracked. Invented are the other versions and every digest, in which bump something came or
//! was forgotten, that all sixteen lie between 3.6.3 and 3.10.4, and that 3.8 was passed over: with
//! three bumps that are no patches one MINOR has to be.

use std::collections::BTreeMap;

/// Where the history begins.
pub const FIRST: &str = "3.6.3";

/// One bump that people made.
pub struct Bump {
    pub to: &'static str,
    /// What was released before it and never pinned.
    pub over: &'static [&'static str],
    /// The sites that came before it, at the pin of that time.
    pub new: &'static [&'static str],
    /// The sites that people forgot in it.
    pub forgotten: &'static [&'static str],
}

const fn bump(to: &'static str) -> Bump {
    Bump { to, over: &[], new: &[], forgotten: &[] }
}

pub static BUMPS: [Bump; 16] = [
    bump("3.6.4"),
    Bump { forgotten: &["compose"], ..bump("3.6.5") },
    Bump { new: &["migration heading", "migration sentence"], ..bump("3.7.0") },
    Bump { forgotten: &["compose"], ..bump("3.7.1") },
    Bump { new: &["dev compose"], ..bump("3.7.2") },
    Bump { forgotten: &["publish workflow"], ..bump("3.7.3") },
    Bump { forgotten: &["compose"], ..bump("3.7.4") },
    Bump { over: &["3.8.0", "3.8.1"], new: &["e2e script"], ..bump("3.9.0") },
    Bump { new: &["DEFAULT_CONNECTOR_TAG"], ..bump("3.9.1") },
    Bump { forgotten: &["compose"], ..bump("3.9.2") },
    Bump { new: &["image manifest"], ..bump("3.9.3") },
    bump("3.10.0"),
    Bump { forgotten: &["dev compose", "e2e script"], ..bump("3.10.1") },
    Bump { forgotten: &["dev compose", "e2e script"], ..bump("3.10.2") },
    Bump { forgotten: &["dev compose", "e2e script"], ..bump("3.10.3") },
    bump("3.10.4"),
];

/// A version and its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    pub version: String,
    pub digest: String,
}

impl Pin {
    /// The digest as people read it.
    pub fn short(&self) -> &str {
        &self.digest["sha256:".len()..][..12]
    }

    fn fill(&self, text: &str) -> String {
        text.replace("{v}", &self.version).replace("{d}", &self.digest)
    }
}

/// A place that spells the pin: the whole text that has to be in the file, once, and what stands
/// there in its stead at another pin. It is written by hand, and shares nothing with the config.
pub struct Site {
    pub name: &'static str,
    pub path: &'static str,
    spells: &'static [&'static str],
}

pub const TAG_LINE: &str = "\nexport const DEFAULT_CONNECTOR_TAG = '{v}';\n";

/// In the order of the config.
pub static SITES: [Site; 9] = [
    Site {
        name: "image manifest",
        path: "packages/townhouse/dist/image-manifest.json",
        spells: &["\"tag\": \"{v}\"", "\"digest\": \"{d}\""],
    },
    Site {
        name: "DEFAULT_CONNECTOR_IMAGE",
        path: "packages/townhouse/src/constants.ts",
        spells: &["\n  'ghcr.io/toon-protocol/connector@{d}';\n"],
    },
    Site {
        name: "DEFAULT_CONNECTOR_TAG",
        path: "packages/townhouse/src/constants.ts",
        spells: &[TAG_LINE],
    },
    Site {
        name: "publish workflow",
        path: ".github/workflows/publish-townhouse-images.yml",
        spells: &["\n  CONNECTOR_VERSION_DEFAULT: '{v}'\n"],
    },
    Site {
        name: "compose",
        path: "docker-compose-townhouse.yml",
        spells: &["\n    image: ghcr.io/toon-protocol/connector@{d}\n"],
    },
    Site {
        name: "dev compose",
        path: "packages/townhouse/compose/townhouse-dev.yml",
        spells: &["\n    image: ghcr.io/toon-protocol/connector:{v}\n"],
    },
    Site {
        name: "e2e script",
        path: "scripts/townhouse-e2e-local-hs.sh",
        spells: &["\n  local CONNECTOR_TAG=\"${CONNECTOR_TAG:-{v}}\"\n"],
    },
    Site {
        name: "migration heading",
        path: "packages/sdk/CONNECTOR_MIGRATION.md",
        spells: &[" (verified through {v})\n"],
    },
    Site {
        name: "migration sentence",
        path: "packages/sdk/CONNECTOR_MIGRATION.md",
        spells: &["through `{v}`"],
    },
];

impl Site {
    pub fn named(name: &str) -> &'static Self {
        SITES.iter().find(|site| site.name == name).unwrap()
    }

    /// The text with another pin at this site, and nowhere else.
    #[track_caller]
    pub fn respelled(&self, text: &str, from: &Pin, to: &Pin) -> String {
        self.spells.iter().fold(text.to_owned(), |text, spells| {
            let old = from.fill(spells);
            assert_eq!(text.matches(&old).count(), 1, "{}: {old:?} in:\n{text}", self.name);
            text.replacen(&old, &to.fill(spells), 1)
        })
    }

    /// The line on which it stands, from 1 on.
    pub fn line(&self, text: &str, at: &Pin) -> usize {
        let spells = at.fill(self.spells[0]);
        let before = text.find(&spells).unwrap() + usize::from(spells.starts_with('\n'));
        1 + text[..before].matches('\n').count()
    }

    /// What it spells of a pin, as people read it.
    pub fn shown(&self, pin: &Pin) -> String {
        let all = self.spells.concat();
        match (all.contains("{v}"), all.contains("{d}")) {
            (true, true) => format!("{} ({})", pin.version, pin.short()),
            (true, false) => pin.version.clone(),
            (false, _) => pin.short().to_owned(),
        }
    }
}

/// What each site spells, by its name; those that are absent are left out.
pub type Spelled = BTreeMap<&'static str, Pin>;

/// The sites that are there at the beginning, all at this pin.
pub fn first(pin: &Pin) -> Spelled {
    let later = |site: &Site| BUMPS.iter().any(|bump| bump.new.contains(&site.name));
    SITES.iter().filter(|site| !later(site)).map(|site| (site.name, pin.clone())).collect()
}

/// The files that spell the pin, as they have to be after a bump.
#[track_caller]
pub fn bumped(
    spelled: &Spelled,
    to: &Pin,
    read: impl Fn(&str) -> String,
) -> BTreeMap<&'static str, String> {
    let mut files = BTreeMap::new();
    for site in &SITES {
        if let Some(from) = spelled.get(site.name) {
            let text = files.entry(site.path).or_insert_with(|| read(site.path));
            *text = site.respelled(text, from, to);
        }
    }
    files
}
