//! The life of one environment: start the process, serve its API, see it end, reap it.

use std::{
    future::poll_fn,
    io,
    net::Ipv4Addr,
    process::{Child, Command},
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use tokio::{
    io::unix::AsyncFd,
    net::TcpListener,
    sync::Notify,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    api::Api,
    procfs,
    shared::Shared,
    states::{End, EnvironmentId},
    worker::{self, Started, Worker},
};

/// How long answers that a worker sent just before it ended are waited for. They lie in the socket by then.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Pause after a connection could not be accepted, which means that descriptors ran out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Runs an environment that the registry has made room for, from its start to its end.
pub(crate) async fn run(shared: Arc<Shared>, id: EnvironmentId, function: usize, wake: Arc<Notify>) {
    let (worker, end) = match start(&shared, id, function).await {
        Ok((listener, started)) => {
            let worker = started.worker.clone();
            let api = Arc::new(Api {
                shared: shared.clone(),
                environment: id,
                function,
                wake,
                worker: worker.clone(),
            });
            let end = live(&api, listener, started.child).await;
            (Some(worker), end)
        }
        Err(end) => (None, end),
    };
    let finished = shared.registry().remove(id, &end, Instant::now());
    if let Some(finished) = finished {
        shared.conclude(function, worker.as_deref(), finished);
    }
    shared.environment_ended();
}

async fn start(
    shared: &Arc<Shared>,
    id: EnvironmentId,
    function: usize,
) -> Result<(TcpListener, Started), End> {
    let failed = |what: &str, error: io::Error| End::NotStarted(format!("{what}: {error}"));
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|e| failed("loopback port", e))?;
    let port = listener.local_addr().map_err(|e| failed("loopback port", e))?.port();
    let mut command = shared.command(function, id, port);
    let pipe = shared.log(function).connect(&mut command).map_err(|e| failed("log", e))?;
    let started = shared.starter.start(command).await.map_err(|error| unstarted(shared, function, &error))?;
    shared.registry().attach(id, started.worker.clone(), started.born);
    if let Some(pipe) = pipe {
        let (shared, pid) = (shared.clone(), started.worker.pid);
        tokio::spawn(async move {
            if let Err(error) = shared.log(function).pump(pid, pipe).await {
                tracing::warn!(pid, %error, "output of a worker lost");
            }
        });
    }
    Ok((listener, started))
}

/// Separates what is wrong with the program from what is wrong with this machine: only the latter is worth a retry.
fn unstarted(shared: &Shared, function: usize, error: &io::Error) -> End {
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound, PermissionDenied};
    let program = shared.program(function).display();
    let reason = match error.kind() {
        NotFound | NotADirectory => "no such file or directory",
        PermissionDenied | IsADirectory => "permission denied",
        _ => return End::NotStarted(format!("{program}: {error}")),
    };
    End::NotExecutable(format!("fork/exec {program}: {reason}"))
}

async fn live(api: &Arc<Api>, listener: TcpListener, child: Child) -> End {
    let mut connections = JoinSet::new();
    match worker::watch(api.worker.clone()) {
        Ok(process) => accept(api, &listener, &mut connections, &process).await,
        Err(error) => {
            tracing::warn!(%error, "worker cannot be watched");
            api.worker.kill();
        }
    }
    listen_to_the_last(api, &listener, &mut connections).await;
    reap(api, child)
}

/// Serves connections until the process ends.
async fn accept(
    api: &Arc<Api>,
    listener: &TcpListener,
    connections: &mut JoinSet<()>,
    process: &AsyncFd<Arc<Worker>>,
) {
    loop {
        tokio::select! {
            _ = process.readable() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(api.clone().serve(stream));
                }
                Err(error) => {
                    tracing::warn!(%error, "connection of a worker not accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// An answer posted just before the end counts, even if its connection has not been accepted yet.
async fn listen_to_the_last(api: &Arc<Api>, listener: &TcpListener, connections: &mut JoinSet<()>) {
    while let Some(Ok((stream, _))) = poll_fn(|cx| match listener.poll_accept(cx) {
        Poll::Ready(accepted) => Poll::Ready(Some(accepted)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
    {
        connections.spawn(api.clone().serve(stream));
    }
    if timeout(LAST_WORDS, async { while connections.join_next().await.is_some() {} }).await.is_err() {
        connections.abort_all();
    }
}

/// Takes what the process used, ends what it left behind, and removes it from the process table.
fn reap(api: &Api, mut child: Child) -> End {
    let cpu = procfs::cpu(api.worker.pid).unwrap_or_default();
    api.worker.kill_group();
    api.shared.used(api.function, cpu, api.worker.peak_kib());
    match child.wait() {
        Ok(status) => End::Exited(status),
        Err(error) => End::NotStarted(format!("waiting for process {}: {error}", api.worker.pid)),
    }
}

/// The command line and the environment that Lambda gives to a function with a runtime of its own.
pub(crate) fn command(config: &crate::FunctionConfig, region: &str, id: EnvironmentId, port: u16) -> Command {
    let mut command = Command::new(&config.program);
    command.args(&config.args).env_clear();
    // What Lambda documents as the values in its own environment.
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin").env("LANG", "en_US.UTF-8").env("TZ", ":UTC");
    command.env("AWS_REGION", region).env("AWS_DEFAULT_REGION", region);
    for name in &config.inherit_env {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.envs(config.env.iter().map(|(name, value)| (name, value)));
    command
        .env("AWS_LAMBDA_RUNTIME_API", format!("{}:{port}", Ipv4Addr::LOCALHOST))
        .env("AWS_LAMBDA_FUNCTION_NAME", &config.name)
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", config.memory_mb.to_string())
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", config.name))
        .env("AWS_LAMBDA_LOG_STREAM_NAME", format!("[$LATEST]{id}"))
        .env("_HANDLER", "bootstrap");
    command
}
