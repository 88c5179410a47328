//! Stories: a world, a bot, and what a maintainer sees.

mod proposals;
mod settings;
mod stand;
