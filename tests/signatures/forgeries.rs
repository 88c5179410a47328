//! Every forgery in every form, held against a table that was written by hand.

use crate::case::{now, outcome_of};
use world::{Forgery, Form, Signing, Sigstore};

const TABLE: &str = include_str!("forgeries.txt");

#[test]
fn each_forgery_is_told_for_what_it_is() {
    let sigstore = Sigstore::new(now());
    let mut wrong = Vec::new();
    let mut cases = 0;
    for forgery in Forgery::ALL {
        let name = format!("{forgery:?}");
        let row: Vec<&str> = TABLE
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .find(|words| words.first() == Some(&name.as_str()))
            .map(|words| words[1..].to_vec())
            .unwrap_or_default();
        let mut got = Vec::new();
        for form in Form::ALL {
            if forgery.concerns(form) {
                cases += 1;
                got.push(outcome_of(&Signing::new().forged(*forgery), form, &sigstore));
            } else {
                got.push("-".to_owned());
            }
        }
        if got != row {
            wrong.push(format!("{name:27} {}\n{:27} {}", got.join(" "), "", row.join(" ")));
        }
    }
    eprintln!("{cases} forged signatures");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
