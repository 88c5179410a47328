//! The exhaustive test of the decision. What should happen stands in `table.txt`, written by hand;
//! nothing here asks `policy` what to expect.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod anew;
mod back;
mod baseline;
mod case;
mod companions;
mod contracts;
mod departure;
mod draft;
mod edges;
mod gone;
mod honesty;
mod lists;
mod orders;
mod pins;
mod pulls;
mod remembered;
mod retreat;
mod settle;
mod single;
mod standing;
mod table;
mod tags;
mod unsettled;
