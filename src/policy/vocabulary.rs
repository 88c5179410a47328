//! The words by which notes are read, in lists with spaces between them.

/// What makes something go or gives it another name.
pub(super) const REMOVES: &str = "\
    remove removes removed removing drop drops dropped dropping delete deletes deleted \
    deleting retire retires retired discontinue discontinues discontinued eliminate \
    eliminates eliminated removal";
pub(super) const RENAMES: &str = "rename renames renamed renaming";
/// With a second name: `move /admin/a to /admin/b`.
pub(super) const REPLACES: &str = "replace replaces replaced move moves moved";
/// What is so after it happened.
pub(super) const GONE: &str = "removed dropped deleted renamed gone retired discontinued removal";
/// Behind "no longer".
pub(super) const ENDED: &str = "available exists exist served supported exposed there returned";
/// Between a route and what it "no longer" does to a field.
pub(super) const GIVES: &str = "returns includes contains has accepts exposes carries";
pub(super) const CHANGES: &str = "\
    change changes changed alter alters altered break breaks rework reworks reworked \
    redesign redesigned redefine redefines redefined replace replaces replaced switch \
    switches switched revise revises revised modify modifies modified bump bumps";
/// With "new" behind it.
pub(super) const ADOPTS: &str = "introduce introduces use uses adopt adopts";
pub(super) const CHANGED: &str = "changed changes change different incompatible reworked replaced";

/// What may stand between a verb and the route that it governs.
pub(super) const FILLERS: &str = "\
    the a an this that these those its all both also old older legacy deprecated obsolete \
    unused undocumented redundant former http rest api admin METHOD endpoint endpoints route \
    routes path paths support for of entire whole and or ,";
/// … and besides, a field.
pub(super) const FIELD_FILLERS: &str = "\
    the a an this that these those its all both also old legacy deprecated obsolete unused \
    undocumented redundant admin METHOD response responses request requests body json and or \
    , extra empty optional";
/// Behind a route, what belongs to it.
pub(super) const ROUTES: &str = "endpoint endpoints route routes path paths api";
pub(super) const FIELD: &str = "field fields property properties parameter parameters";
pub(super) const WIRE_FILLERS: &str = "the a an to ilp btp oer binary our its new of";
pub(super) const BE: &str = "is are was were has have been now";
/// What may follow the object of a sentence; anything else makes it part of a longer name, as in
/// "remove `/admin/peers` mocks".
pub(super) const FOLLOWERS: &str = "\
    , and or from in on with to as because since after when which that for → -> by between \
    until entirely completely altogether now";
/// Where what goes is not the interface itself.
pub(super) const ELSEWHERE: &str = "\
    config configuration env environment database db schema table log logs logging telemetry \
    metric metrics ui explorer dashboard test tests e2e fixture fixtures mock mocks docs \
    documentation readme example examples docker compose yaml toml cli struct class type \
    types sql changelog comment comments state form";
/// What takes a removal back.
pub(super) const RESTORES: &str = "\
    restore restores restored re-add re-adds re-added readd reinstate reinstates reinstated \
    revert reverts reverted undo accidental accidentally";
pub(super) const NEGATIONS: &str = "\
    no not never without neither longer instead stop avoid prevent prevents fix fixes fixed \
    don't doesn't cannot can't won't";
/// Scopes and types of commits that touch nothing which runs.
pub(super) const HARMLESS: &str = "\
    test tests e2e ci docs doc build deps deps-dev chore example examples lint bench style \
    release";

/// Types of commits.
pub(super) const TYPES: &str = "feat fix perf refactor docs test tests ci build chore style revert";

/// Whether a list of words, which has spaces between them, has this one.
pub(super) fn has(words: &str, word: &str) -> bool {
    words.split(' ').any(|it| it == word)
}
