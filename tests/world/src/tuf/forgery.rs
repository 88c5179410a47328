//! What may be wrong with a publication, one thing at a time.

macro_rules! forgeries {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// One thing that is wrong with what the TUF repository has, everything else being genuine.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum TufForgery { $($(#[$doc])* $name),* }

        impl TufForgery {
            /// All forgeries.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

forgeries! {
    // Who signs.
    /// The timestamp is by another key than it says.
    TimestampByWrongKey,
    /// The snapshot is by another key than it says.
    SnapshotByWrongKey,
    /// The list of targets is by other keys than it says.
    TargetsByWrongKey,
    /// The next root is by keys of its own, and so is all that follows.
    RootByWrongKeys,
    /// The list of targets has one signature less than it needs.
    TooFewSignatures,
    /// The list of targets has two signatures, as it needs, by one and the same key.
    OneKeyTwice,
    // When.
    /// The timestamp expired an hour ago.
    ExpiredTimestamp,
    /// The snapshot expired an hour ago.
    ExpiredSnapshot,
    /// The list of targets expired an hour ago.
    ExpiredTargets,
    /// The next root expired an hour ago.
    ExpiredRoot,
    // What was there before. There have to have been two publications.
    /// The timestamp has the version before the last one.
    TimestampRolledBack,
    /// The timestamp names the snapshot before the last one.
    SnapshotRolledBack,
    /// The snapshot names the list of targets before the last one.
    TargetsRolledBack,
    /// The next root says that it is the one after that.
    RootSkipsOne,
    // What is named.
    /// The snapshot is not the one of which the timestamp has the hash.
    SnapshotExchanged,
    /// One bit of the trusted root is another than in the one of which the list has the hash.
    TargetExchanged,
    /// The list of targets has no trusted root.
    NoTarget,
    /// The trusted root is none, though it is signed as it should be.
    UselessTarget,
}
