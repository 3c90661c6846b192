//! Looks at executions: lists, histories, definitions, reports.

use futures::TryStreamExt;
use futures::stream::FuturesOrdered;
use serde_json::{Value, json};

use crate::http::{Refusal, Request, fits};
use crate::report::{self, Look};
use crate::states::{Of, Page, States};
use crate::{World, ours};

/// As the API spells them.
const STATUSES: [&str; 6] = ["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"];

/// Children whose records a report is made of: each takes two requests, and a Lambda behind a gateway has 29 seconds.
const MOST_CHILDREN: u64 = 500;

/// Asks for a page, and for a smaller one while it is too long to travel.
macro_rules! travelling {
    ($page:ident => $ask:expr) => {
        loop {
            let answer: Value = $ask.await?;
            if $page.limit == 1 || fits(&answer) {
                break Ok(answer);
            }
            $page.limit = ($page.limit / 2).max(1);
        }
    };
}

pub(crate) fn page(request: &Request, usual: u32) -> Result<Page, Refusal> {
    let limit = request.number("limit", 1, 1_000, usual)?;
    Ok(Page { limit, cursor: request.parameter("cursor").map(str::to_owned) })
}

pub(crate) fn status(request: &Request) -> Result<Option<&str>, Refusal> {
    match request.parameter("status") {
        Some(status) if !STATUSES.contains(&status) => {
            Err(Refusal::field("status", format!("one of {}", STATUSES.join(", ")), format!("{status:?}")))
        }
        status => Ok(status),
    }
}

fn arn<'a>(world: &World, request: &'a Request) -> Result<&'a str, Refusal> {
    ours::execution(&world.machines, "arn", request.required("arn")?)
}

/// Of one machine; a cursor goes with the machine that it came from.
pub(crate) async fn executions(world: &World, request: &Request) -> Result<Value, Refusal> {
    let machine = ours::machine(&world.machines, "machine", request.required("machine")?)?;
    let (status, page) = (status(request)?, page(request, 50)?);
    world.states.executions(Of::Machine(&machine.arn), status, &page).await
}

pub(crate) async fn execution(world: &World, request: &Request) -> Result<Value, Refusal> {
    world.states.execution(arn(world, request)?).await
}

/// Events are whole: a page too long to travel becomes a shorter one.
pub(crate) async fn history(world: &World, request: &Request) -> Result<Value, Refusal> {
    let arn = arn(world, request)?;
    let newest = match request.parameter("order") {
        None | Some("oldest") => false,
        Some("newest") => true,
        Some(other) => return Err(Refusal::field("order", "oldest or newest", format!("{other:?}"))),
    };
    let mut page = page(request, 200)?;
    travelling!(page => world.states.events(arn, &page, newest, true))
}

pub(crate) async fn definition(world: &World, request: &Request) -> Result<Value, Refusal> {
    world.states.definition(arn(world, request)?).await
}

/// What a transfer took. The parts of one with very many children are left out, and that is said.
pub(crate) async fn report(world: &World, request: &Request) -> Result<Value, Refusal> {
    let arn = arn(world, request)?;
    let runs = world.states.map_runs(arn).await?;
    let described: FuturesOrdered<_> =
        runs.iter().map(|run| world.states.map_run(run["mapRunArn"].as_str().unwrap_or_default())).collect();
    let described: Vec<Value> = described.try_collect().await?;
    let total = |run: &Value| run["executionCounts"]["total"].as_u64().unwrap_or_default();
    let children: u64 = described.iter().map(total).sum();
    if children <= MOST_CHILDREN {
        let report = written(&report::read(&world.states, arn).await?)?;
        if fits(&report) {
            return Ok(report);
        }
    }
    let mut report = written(&report::read(&Alone(&world.states), arn).await?)?;
    report["childrenNotRead"] = json!(children);
    Ok(report)
}

fn written(report: &report::Report) -> Result<Value, Refusal> {
    serde_json::to_value(report).map_err(|error| Refusal::new(502, "AnswerInvalid", error.to_string()))
}

/// An execution without its children.
struct Alone<'a>(&'a States);

#[async_trait::async_trait]
impl Look for Alone<'_> {
    type Error = Refusal;

    async fn describe(&self, arn: &str) -> Result<Value, Refusal> {
        self.0.describe(arn).await
    }

    async fn history(&self, arn: &str) -> Result<Vec<Value>, Refusal> {
        self.0.history(arn).await
    }

    async fn map_runs(&self, _arn: &str) -> Result<Vec<Value>, Refusal> {
        Ok(Vec::new())
    }

    async fn children(&self, _map_run: &str) -> Result<Vec<Value>, Refusal> {
        Ok(Vec::new())
    }
}
