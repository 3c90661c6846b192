//! Lists one range: joins its pages, settles what is the same, and hands on what is to be done.

use std::sync::Mutex;

use futures::stream;
use futures::{FutureExt, StreamExt};
use tokio::sync::{Notify, Semaphore};
use transload_plan::{Joined, Keyed, Merge, OutOfOrder, Step};
use transload_store::Side;
use transload_store::work::WorkFiles;
use transload_wire::{ErrorName, Failure, KeyRange};

use crate::asked::Asked;
use crate::board::Board;
use crate::lists::Lists;
use crate::look::Settled;
use crate::pages::{Pages, Row};
use crate::stop::Stop;
use crate::{judge, lock, look};

/// Rows that are settled at a time: fewer where each may cost a round trip, so that a call that stops loses few.
const ROWS: usize = 1_000;
const ROWS_WITH_HEADS: usize = 256;

/// A key with the objects of the sides that have it.
pub(crate) type Pair = Joined<Row, Row>;

/// What the listers of a call share.
pub(crate) struct World<'a> {
    pub asked: &'a Asked,
    pub work: &'a dyn WorkFiles,
    pub stop: Stop,
    pub board: Mutex<Board>,
    pub lists: Mutex<Lists>,
    /// Held while a file is written: whoever fills the next one waits, so that no more than two are in memory.
    pub writing: tokio::sync::Mutex<()>,
    /// HEADs at a time.
    pub heads: Semaphore,
    /// A page came.
    pub paged: Notify,
}

impl World<'_> {
    /// Writes the files that are full; at the end all of them.
    pub(crate) async fn write(&self, end: bool) -> Result<(), Failure> {
        if end {
            lock(&self.lists).close();
        } else if !lock(&self.lists).is_full() {
            return Ok(());
        }
        let _one = self.writing.lock().await;
        loop {
            let Some((name, bytes)) = lock(&self.lists).take() else { return Ok(()) };
            self.work.put(&format!("{}{name}", self.asked.prefix), bytes).await?;
        }
    }
}

/// Lists a range to its end (`None`), or until it is time to stop: what is left of it.
pub(crate) async fn list(
    world: &World<'_>,
    (id, range): (u64, KeyRange),
) -> Result<Option<KeyRange>, Failure> {
    let ended = Lister::new(world, id, range).run().await;
    let until = lock(&world.board).until(id);
    lock(&world.board).end(id);
    Ok(ended?.map(|after| KeyRange { after, until }))
}

struct Lister<'a> {
    world: &'a World<'a>,
    id: u64,
    merge: Merge<Row, Row>,
    source: Pages,
    destination: Pages,
    /// Behind this key nothing is done yet.
    cursor: String,
    /// Whether there is anything to show, so that the rest may be left to another call. A cursor that is empty can not tell
    /// whether the key that is empty was done.
    moved: bool,
}

impl<'a> Lister<'a> {
    fn new(world: &'a World<'a>, id: u64, range: KeyRange) -> Self {
        Self {
            id,
            merge: Merge::behind(&range.after),
            source: Pages::new(&world.asked.source, Side::Source, &range.after),
            destination: Pages::new(&world.asked.destination, Side::Destination, &range.after),
            cursor: range.after,
            moved: false,
            world,
        }
    }

    /// `None` at the end, else the key behind which another call has to go on.
    async fn run(mut self) -> Result<Option<String>, Failure> {
        loop {
            let (rows, next) = self.rows();
            if !rows.is_empty() {
                let Some(settled) = self.settle(&rows).await? else { return Ok(Some(self.cursor)) };
                self.hand_on(rows, settled).await?;
            }
            if self.moved && self.world.stop.is_near() && !matches!(next, Some(Step::End)) {
                return Ok(Some(self.cursor));
            }
            let paged = match next {
                None => true,
                Some(Step::End) => return Ok(None),
                Some(Step::NeedsSource) => self.page(Side::Source).await?,
                Some(_) => self.page(Side::Destination).await?,
            };
            if !paged {
                return Ok(Some(self.cursor));
            }
        }
    }

    /// As many rows as the pages give, and what comes behind them.
    fn rows(&mut self) -> (Vec<Pair>, Option<Step<Row, Row>>) {
        let most = if look::may_ask(self.world.asked) { ROWS_WITH_HEADS } else { ROWS };
        let mut rows = Vec::new();
        while rows.len() < most {
            match self.merge.step() {
                Step::Row(row) => rows.push(row),
                other => return (rows, Some(other)),
            }
        }
        (rows, None)
    }

    /// Takes a page of one side; `false`: it is time to stop.
    async fn page(&mut self, side: Side) -> Result<bool, Failure> {
        let pages = match side {
            Side::Source => &mut self.source,
            Side::Destination => &mut self.destination,
        };
        let Some(listed) = self.world.stop.bound(!self.moved, pages.next()).await? else { return Ok(false) };
        let page = {
            // A range may be cut while its page is on its way: what is behind the cut is another lister's by now.
            let mut board = lock(&self.world.board);
            let page = pages.cut(listed?, board.until(self.id).as_deref())?;
            board.page(self.id, page.rows.iter().map(Keyed::key));
            page
        };
        let fed = match side {
            Side::Source => self.merge.feed_source(page.rows, page.ended),
            Side::Destination => self.merge.feed_destination(page.rows, page.ended),
        };
        fed.map_err(|error| lies(self.world, side, &error))?;
        self.world.paged.notify_one();
        Ok(true)
    }

    /// What is known of each row; `None`: it is time to stop.
    async fn settle(&self, rows: &[Pair]) -> Result<Option<Vec<Settled>>, Failure> {
        let world = self.world;
        if !look::may_ask(world.asked) {
            return Ok(Some(rows.iter().map(|row| look::by_lists(world.asked, row)).collect()));
        }
        let looks: Vec<_> = rows.iter().map(|row| look::settle(world, row).boxed()).collect();
        let all = stream::iter(looks).buffered(look::AT_A_TIME).collect::<Vec<_>>();
        let settled = world.stop.bound(!self.moved, all).await?;
        settled.map(|all| all.into_iter().collect()).transpose()
    }

    async fn hand_on(&mut self, rows: Vec<Pair>, settled: Vec<Settled>) -> Result<(), Failure> {
        if let Some(last) = rows.last() {
            judge::key(last).clone_into(&mut self.cursor);
            self.moved |= !self.cursor.is_empty();
        }
        {
            let mut lists = lock(&self.world.lists);
            for (row, settled) in rows.into_iter().zip(settled) {
                judge::judge(self.world.asked, &mut lists, row, settled)?;
            }
        }
        self.world.write(false).await
    }
}

fn lies(world: &World<'_>, side: Side, error: &OutOfOrder) -> Failure {
    let (name, end) = match side {
        Side::Source => ("source", &world.asked.source),
        Side::Destination => ("destination", &world.asked.destination),
    };
    ErrorName::Unavailable.because(format!("{name}: listing of {}: {error}", end.shelf))
}
