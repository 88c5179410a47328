//! The config file: what can be used is consistent, and what cannot says where it is wrong.

use digest_bump::config::{self, Environment};
use digest_bump::domain::{SiteShape, Version};

/// A config file.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match config::parse(text, "fuzz.toml", &Environment::default()) {
        Ok(config) => {
            assert!(!config.watches.is_empty());
            for watch in &config.watches {
                assert!(watch.downstream.sites.iter().any(|site| site.authority));
                let (from, to) = (Version::new(1, 0, 0), Version::new(2, 3, 4));
                let title = watch.title.fill(&watch.upstream.image, &from, &to);
                assert!(title.contains("2.3.4"), "{title}");
                for site in &watch.downstream.sites {
                    match &site.shape {
                        SiteShape::Manifest { pointer } => assert!(pointer.starts_with('/')),
                        SiteShape::Line { count, .. } => assert!(*count > 0),
                    }
                }
            }
        }
        Err(error) => {
            assert!(!error.problems.is_empty());
            for problem in &error.problems {
                // `place: text`, or the picture that the TOML parser draws.
                assert!(problem.contains(": ") || problem.starts_with("TOML parse error at line"));
            }
        }
    }
}
