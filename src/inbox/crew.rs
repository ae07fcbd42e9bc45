//! The keepers of all inboxes: who rests, who is at a step and whose step is not answered; whose turn it is to claim.
//!
//! Each step runs on a thread of its own, so an inbox that does not answer keeps no other from its work. As long as all of
//! them answer they go as one: they take their turns together, and what is ready is claimed in one order, by time, which
//! waits for every step under way. One that does not answer is no longer waited for until it does. `watch` runs the crew.

use super::{
    Claimed, InboxState, Root, RootState, Settings, Watching, display_path,
    hint::Hint,
    keeper::{Done, Keeper, Step},
    leash::Leash,
    root::Rank,
};
use crate::{clock, model::Time};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::mpsc::{self, error::SendError},
    task::{JoinError, JoinSet},
    time::Instant,
};

/// How many hints are heeded in one step, and how many files claimed: some milliseconds of work, so that the one does
/// not keep the other waiting, nor either a shutdown.
const HINTS_A_STEP: usize = 1024;
const CLAIMS_A_STEP: usize = 64;

/// The keepers.
pub(super) struct Crew {
    posts: Vec<Post>,
    steps: JoinSet<()>,
    results: mpsc::Sender<Ended>,
    heard_max: usize,
    patience: Duration,
    losses: u64,
    /// When the turns began that are being taken, and whether one of them was a scan.
    round: Option<Instant>,
    has_scanned: bool,
    /// Claims and other steps go by turns: neither a flood of files nor one of hints keeps the other waiting.
    is_claims_turn: bool,
    has_news: bool,
}

/// One inbox.
struct Post {
    /// Nobody while a step is under way.
    keeper: Option<Keeper>,
    leash: Arc<Leash>,
    heard: Vec<Hint>,
    is_to_make_up: bool,
    /// Whether its last step was a turn, so that hints come next.
    has_turned: bool,
    state: RootState,
}

/// A step that has ended.
pub(super) struct Ended {
    index: usize,
    keeper: Keeper,
    done: Done,
}

impl Crew {
    /// Everyone rests, and has a first scan to do; those that did not even answer when they were to be opened have nobody.
    /// Results come out of the queue.
    pub(super) fn new(
        keepers: Vec<Keeper>,
        silent: &[Root],
        settings: &Settings,
    ) -> (Self, mpsc::Receiver<Ended>) {
        // A place for each: nobody is at two steps.
        let (results, ended) = mpsc::channel(keepers.len().max(1));
        let post = |keeper: Keeper| Post {
            leash: keeper.leash(),
            state: keeper.first_state(),
            keeper: Some(keeper),
            heard: Vec::new(),
            is_to_make_up: false,
            has_turned: false,
        };
        let nobody = |root: &Root| Post {
            leash: Arc::new(Leash::new()),
            state: RootState {
                silent_since: Some(clock::now()),
                ..RootState::new(root.path.clone(), Watching::Starting)
            },
            keeper: None,
            heard: Vec::new(),
            is_to_make_up: false,
            has_turned: false,
        };
        let crew = Self {
            posts: keepers.into_iter().map(post).chain(silent.iter().map(nobody)).collect(),
            steps: JoinSet::new(),
            results,
            heard_max: settings.hints_max.max(1),
            patience: settings.patience,
            losses: 0,
            round: None,
            has_scanned: false,
            is_claims_turn: false,
            has_news: true,
        };
        (crew, ended)
    }

    /// Has those who rest do what is due, unless what is ready is to be claimed first.
    pub(super) fn set_to_work(&mut self, has_room: bool) {
        self.note_silence();
        self.end_round();
        if self.is_held_back(has_room) {
            return;
        }
        let now = Instant::now();
        let is_time = self.resting().any(|keeper| keeper.wake() <= now);
        if is_time {
            self.round.get_or_insert(now);
        }
        for index in 0..self.posts.len() {
            if let Some(step) = self.posts.get_mut(index).and_then(|post| post.next_step(is_time)) {
                self.begin(index, step);
                self.is_claims_turn = true;
            }
        }
    }

    /// Takes back the keeper of a step that has ended, and returns what was claimed.
    pub(super) fn ended(&mut self, Ended { index, mut keeper, done }: Ended) -> Vec<Claimed> {
        let Some(post) = self.posts.get_mut(index) else { return done.claimed };
        if std::mem::take(&mut post.is_to_make_up) {
            keeper.make_up();
        }
        post.keeper = Some(keeper);
        let silent_since = post.state.silent_since.take();
        self.has_news |= silent_since.is_some() || done.state.is_some();
        if let Some(state) = done.state {
            post.state = state;
        }
        if silent_since.is_some() {
            tracing::info!(inbox = display_path(&post.state.path), "the inbox answers again");
        }
        self.has_scanned |= done.has_scanned;
        done.claimed
    }

    /// The next step that ended, where that went wrong.
    pub(super) async fn failure(&mut self) -> Option<JoinError> {
        while let Some(ended) = self.steps.join_next().await {
            if let Err(error) = ended {
                return Some(error);
            }
        }
        None
    }

    /// Keeps a hint in mind; of too many, that there were any.
    pub(super) fn hear(&mut self, (index, hint): (usize, Hint)) {
        let Some(post) = self.posts.get_mut(index) else { return };
        if post.heard.len() < self.heard_max {
            post.heard.push(hint);
        } else {
            self.lose();
        }
    }

    /// Hints were lost: a scan of everything makes up for them.
    pub(super) fn lose(&mut self) {
        tracing::debug!("hints were lost, a scan makes up for them");
        self.losses += 1;
        self.has_news = true;
        for post in &mut self.posts {
            match &mut post.keeper {
                Some(keeper) => keeper.make_up(),
                None => post.is_to_make_up = true,
            }
            post.heard.clear();
        }
    }

    /// When to look again whether anything is due.
    pub(super) fn wake(&self, has_room: bool) -> Instant {
        let wakes = self.resting().map(Keeper::wake).filter(|_| !self.is_held_back(has_room));
        // Without an inbox there is nothing to wake for.
        self.deadlines().chain(wakes).min().unwrap_or_else(|| Instant::now() + self.patience)
    }

    /// Who has the file that is to be claimed next, and which file of another inbox comes after those that he may claim;
    /// nobody while a step is under way whose outcome may change that.
    fn next_to_claim(&self) -> Option<(usize, Option<Rank>)> {
        if self.posts.iter().any(Post::is_at_work) {
            return None;
        }
        let ready = self.posts.iter().enumerate();
        let mut ready: Vec<(Rank, usize)> =
            ready.filter_map(|(index, post)| Some((post.keeper.as_ref()?.first_ready()?, index))).collect();
        ready.sort_unstable();
        let mut ready = ready.into_iter();
        let (_, first) = ready.next()?;
        Some((first, ready.next().map(|(rank, _)| rank)))
    }

    pub(super) fn can_claim(&self) -> bool {
        self.next_to_claim().is_some()
    }

    /// Has the oldest ready files claimed, at most so many.
    pub(super) fn claim(&mut self, count: usize) {
        if let Some((index, before)) = self.next_to_claim() {
            self.begin(index, Step::Claim(count.min(CLAIMS_A_STEP), before));
            self.is_claims_turn = false;
        }
    }

    /// How all inboxes stand, where that may have changed since it was last told.
    pub(super) fn news(&mut self) -> Option<InboxState> {
        let states = || self.posts.iter().map(|post| &post.state);
        std::mem::take(&mut self.has_news).then(|| InboxState {
            is_ready: states().all(|state| state.has_been_scanned() || state.silent_since.is_some()),
            losses: self.losses,
            roots: states().cloned().collect(),
        })
    }

    /// Ends the steps under way, and returns what they still claimed. What is not answered is not waited for: what comes
    /// of it goes back where it was.
    pub(super) async fn end(mut self, mut results: mpsc::Receiver<Ended>) -> Vec<Claimed> {
        self.posts.iter().for_each(|post| post.leash.pull());
        let mut claimed = Vec::new();
        while let Some(deadline) = self.deadlines().min() {
            tokio::select! {
                Some(ended) = results.recv() => claimed.extend(self.ended(ended)),
                () = tokio::time::sleep_until(deadline) => self.note_silence(),
            }
        }
        results.close();
        while let Some(ended) = results.recv().await {
            claimed.extend(ended.done.claimed);
        }
        claimed
    }

    /// When the steps under way count as not answered, unless they go on before.
    fn deadlines(&self) -> impl Iterator<Item = Instant> {
        self.posts.iter().filter(|post| post.is_at_work()).map(|post| post.leash.seen() + self.patience)
    }

    fn resting(&self) -> impl Iterator<Item = &Keeper> {
        self.posts.iter().filter_map(|post| post.keeper.as_ref())
    }

    fn is_held_back(&self, has_room: bool) -> bool {
        self.is_claims_turn && has_room && self.resting().any(|keeper| keeper.first_ready().is_some())
    }

    fn begin(&mut self, index: usize, step: Step) {
        let Some(mut keeper) = self.posts.get_mut(index).and_then(|post| post.keeper.take()) else { return };
        let results = self.results.clone();
        keeper.leash().goes_on();
        self.steps.spawn_blocking(move || {
            let done = keeper.take(step);
            if let Err(SendError(late)) = results.blocking_send(Ended { index, keeper, done }) {
                give_back(&late.done.claimed);
            }
        });
    }

    fn note_silence(&mut self) {
        let now = Instant::now();
        for post in self.posts.iter_mut().filter(|post| post.is_at_work()) {
            let quiet = now.duration_since(post.leash.seen());
            if quiet < self.patience {
                continue;
            }
            self.has_news = true;
            let quiet_ms = i64::try_from(quiet.as_millis()).unwrap_or(i64::MAX);
            post.state.silent_since = Some(Time::from_millis(clock::now().millis().saturating_sub(quiet_ms)));
            tracing::warn!(
                inbox = display_path(&post.state.path),
                seconds = quiet.as_secs(),
                "the inbox does not answer, as a mount whose server is gone; the others go on without it"
            );
        }
    }

    /// What the scans of one round found becomes ready together, and so goes in one order.
    fn end_round(&mut self) {
        if self.posts.iter().any(Post::is_at_work) {
            return;
        }
        let (round, has_scanned) = (self.round.take(), std::mem::take(&mut self.has_scanned));
        if let Some(began) = round.filter(|_| has_scanned && self.posts.len() > 1) {
            let now = Instant::now();
            for keeper in self.posts.iter_mut().filter_map(|post| post.keeper.as_mut()) {
                keeper.settle_together(began, now);
            }
        }
    }
}

impl Post {
    /// Whether a step is under way that is answered.
    fn is_at_work(&self) -> bool {
        self.keeper.is_none() && self.state.silent_since.is_none()
    }

    /// What is next for one who rests.
    fn next_step(&mut self, is_time: bool) -> Option<Step> {
        self.keeper.as_ref()?;
        let has_heard = !self.heard.is_empty();
        self.has_turned = is_time && !(self.has_turned && has_heard);
        if self.has_turned {
            return Some(Step::Turn);
        }
        let count = self.heard.len().min(HINTS_A_STEP);
        has_heard.then(|| Step::Heed(self.heard.drain(..count).collect()))
    }
}

/// What nobody waits for any more goes back to its inbox, to be claimed anew.
pub(super) fn give_back(claimed: &[Claimed]) {
    for claim in claimed {
        if let Err(error) = claim.give_back() {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a claimed file waits for the next start"
            );
        }
    }
}
