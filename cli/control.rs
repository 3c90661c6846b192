//! How one process asks another, that runs executions in a home, about them: one JSON line each way over a socket there.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use stepfunctions_local::Engine;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

use crate::api::{self, Refusal, Request};
use crate::exit::{CliError, Exit, Outcome};
use crate::home::{self, Home};

/// How long an owner may take for an answer; it answers from its database.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the end of the process waits for answers that are being given.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// The owner's end. The home's mode keeps other users from it.
#[derive(Debug)]
pub(crate) struct Listener {
    task: JoinHandle<()>,
    closing: Arc<Notify>,
    path: PathBuf,
}

impl Listener {
    /// Listens in `home`. Where that can not be (a path beyond the system's 107 bytes) others can not ask, and are told.
    pub(crate) fn open(home: &Home, engine: Engine) -> Option<Self> {
        let path = home.socket();
        home::remove_if_there(&path).ok()?;
        let listener = UnixListener::bind(&path).ok()?;
        let closing = Arc::new(Notify::new());
        let closed = closing.clone();
        let task = tokio::spawn(async move {
            let mut answers = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((stream, _)) = listener.accept() => drop(answers.spawn(answer(stream, engine.clone()))),
                    Some(_) = answers.join_next() => {}
                    () = closed.notified() => break,
                    else => break,
                }
            }
            answers.join_all().await;
        });
        Some(Self { task, closing, path })
    }

    /// Ends once those who asked have their answers: a request to stop an execution may be what ends this process.
    pub(crate) async fn close(mut self) {
        self.closing.notify_one();
        // Whoever asks and does not read the answer is not waited for.
        let _ = tokio::time::timeout(LAST_ANSWERS, &mut self.task).await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
        // A socket that stays is replaced by the next owner.
        let _ = home::remove_if_there(&self.path);
    }
}

async fn answer(mut stream: UnixStream, engine: Engine) {
    let mut line = String::new();
    if BufReader::new(&mut stream).read_line(&mut line).await.is_err() {
        return;
    }
    let answer: Result<Value, Refusal> = match serde_json::from_str::<Request>(&line) {
        Ok(request) => api::call(&engine, request).await,
        Err(error) => Err(Refusal { code: "ValidationException".to_owned(), message: error.to_string() }),
    };
    if let Ok(text) = serde_json::to_string(&answer) {
        // Whoever asked may be gone.
        let _ = stream.write_all(format!("{text}\n").as_bytes()).await;
    }
}

/// Asks the process that runs executions in `home`.
///
/// # Errors
/// The API's, or [`Exit::Busy`] if the process does not answer.
pub(crate) async fn ask(home: &Home, request: &Request) -> Outcome<Value> {
    let exchange = async {
        let mut stream = UnixStream::connect(home.socket()).await?;
        stream.write_all(format!("{}\n", serde_json::to_string(request)?).as_bytes()).await?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).await?;
        Ok::<Result<Value, Refusal>, std::io::Error>(serde_json::from_str(&line)?)
    };
    let why = match tokio::time::timeout(PATIENCE, exchange).await {
        Ok(Ok(answer)) => return answer.map_err(CliError::from),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer in time".to_owned(),
    };
    let message =
        format!("the process that runs executions in {} can not be asked: {why}", home.path().display());
    Err(CliError::new(Exit::Busy, message).hint("interrupt it with Ctrl-C, then try again"))
}
