//! Hands off and on: what the bot says and marks where people work on its branches.

use super::pass::Pass;
use crate::domain::{
    CommandSource, CommitId, Effect, Marker, PullFacts, PullNumber, RequestId, Saying,
};
use crate::policy::hands_off;
use crate::render::{given_up_comment, hands_off_comment};
use anyhow::{Context as _, Result};

impl Pass<'_> {
    /// Says once that a person works on the branch, and labels the pull request. After a lost
    /// database the comment is found again, and then the label was put on before it.
    pub(super) async fn step_back(&mut self, number: PullNumber) -> Result<()> {
        let (pull, marker) = self.pull_of_ours(number)?;
        let says = hands_off(&self.memory, &pull, &marker);
        let body =
            hands_off_comment(&says, &marker, &pull, &self.bot.watch.downstream.how_to_ask());
        let comment = Effect::CommentPull { number, says: says.clone(), body };
        let label = self.bot.watch.hands_off_label.clone();
        if let Some(label) = label
            && self.bot.performer.probe(&comment, None).await?.is_none()
        {
            let effect = Effect::LabelPull { number, labels: vec![label], since: Some(says) };
            self.effect_unless_there(&effect, true).await?;
        }
        self.effect_unless_there(&comment, true).await?;
        self.done(format!("stepped back from pull request {number}: a person works on its branch"));
        Ok(())
    }

    /// Takes the label off again, and has the comment shown small that told of it.
    pub(super) async fn take_up(&mut self, number: PullNumber) -> Result<()> {
        let put: Vec<(String, Saying)> = self
            .memory
            .effects
            .iter()
            .filter_map(|record| match &record.effect {
                Effect::LabelPull { number: it, labels, since: Some(since) } if *it == number => {
                    Some((labels.first()?.clone(), since.clone()))
                }
                _ => None,
            })
            .collect();
        for (label, since) in put {
            if let Some(comment) = self.comment_that(number, &since) {
                self.minimize(comment).await?;
            }
            self.effect(&Effect::UnlabelPull { number, label, since }).await?;
        }
        self.done(format!("took up pull request {number} again"));
        Ok(())
    }

    /// The comment of the bot's that says this, if it is remembered.
    fn comment_that(&self, number: PullNumber, says: &Saying) -> Option<CommandSource> {
        let mut records = self.memory.effects.iter();
        let said = records.find(|record| {
            matches!(&record.effect, Effect::CommentPull { number: it, says: said, .. }
                if *it == number && said == says)
        });
        Some(CommandSource::Comment(said?.remote_id.as_ref()?.parse().ok()?))
    }

    /// Names the commits that are about to be lost.
    pub(super) async fn name_lost(&mut self, number: PullNumber, request: RequestId) -> Result<()> {
        let (pull, _) = self.pull_of_ours(number)?;
        let (head, ours) = (pull.head.clone(), self.ours());
        let asked = self.memory.requests.iter().find(|asked| asked.id == request);
        let actor = asked.context("no such request")?.actor.clone();
        let lost = self.bot.performer.lost_commits(&pull, &ours).await?;
        let body = given_up_comment(&actor, &head, &lost);
        let says = Saying::GivenUp { head };
        self.effect_unless_there(&Effect::CommentPull { number, says, body }, true).await?;
        self.done(format!("named in pull request {number} which commits are given up"));
        Ok(())
    }

    /// The heads whose commits were named, so that the branch may be moved from them.
    pub(super) fn named_heads(&self) -> impl Iterator<Item = CommitId> {
        self.memory.effects.iter().filter_map(|record| match &record.effect {
            Effect::CommentPull { says: Saying::GivenUp { head }, .. } => {
                record.done_at.map(|_| head.clone())
            }
            _ => None,
        })
    }

    fn pull_of_ours(&self, number: PullNumber) -> Result<(PullFacts, Marker)> {
        let pull = self.memory.pulls().find(|pull| pull.number == number);
        let pull = pull.context("no such pull request")?.clone();
        let marker = pull.marker.clone().context("a pull request without a marker")?;
        Ok((pull, marker))
    }
}
