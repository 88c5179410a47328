//! What the demo prints.

use world::{Pull, World};

/// The beginning of a scene.
pub fn scene(text: &str) {
    println!("\n━━ {text}");
}

/// Something that somebody did or that became of it.
pub fn line(text: &str) {
    println!("   {text}");
}

/// A line of the daemon's log, without its time.
pub fn log(line: &str) {
    let text = line.split_once(' ').map_or(line, |(_, rest)| rest.trim_start());
    println!("   bot │ {text}");
}

/// Something that was checked and is so.
pub fn held(text: &str) {
    println!("   ✓ {text}");
}

/// A pull request as a maintainer reads it: title, body, diff.
pub fn pull(world: &World, pull: &Pull) {
    println!("\n   ┌─ pull request #{} ─ {} ← {}", pull.number, pull.base_branch, pull.head_branch);
    println!("   │ {}\n   │", pull.title);
    for line in pull.body.lines() {
        println!("   │ {line}");
    }
    println!("   ├─ the diff");
    for line in world.diff(&pull.base_branch, &pull.head_sha).lines() {
        println!("   │ {line}");
    }
    println!("   └─");
}
