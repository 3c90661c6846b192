//! A pair's half that costs next to nothing: GETs by sendfile from a file, PUTs counted and discarded.
//!
//! It shows what a client costs, not what a store does. The access key is compared; **signatures are not verified**.
//! Bodies pass through CRC64NVME, so that answers and later HEADs are what S3 would say of the bytes, and a wrong copy
//! is seen though nothing is stored.

mod chunked;
mod http;
mod multipart;
mod ops;
mod pace;
mod range;
mod state;

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use self::http::{Answer, Connection, Request};
use self::ops::{Counter, Received};
use self::pace::Pacer;
use self::state::{Shared, State};

pub(crate) use self::state::{Seen, Tree};

/// How a null server behaves.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Config {
    /// The access key that requests must name.
    #[arg(long)]
    pub(crate) access_key: String,
    /// Holds `bucket/key` files: the objects.
    #[arg(long)]
    pub(crate) directory: PathBuf,
    /// Milliseconds before an answer.
    #[arg(long, default_value_t = 0)]
    pub(crate) first_byte_ms: u64,
    /// Megabytes (10^6) a second in one body; unlimited without it.
    #[arg(long)]
    pub(crate) mb_per_second: Option<u64>,
}

struct Server {
    config: Config,
    shared: Shared,
}

/// Serves until the process is ended; prints the port when it is ready.
pub(crate) fn serve(config: Config) -> Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let objects = state::load(&config.directory)?;
    let server = Arc::new(Server { config, shared: Shared::default() });
    *server.shared.lock() = State { objects, ..State::default() };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?.port());
    loop {
        let (stream, _) = listener.accept()?;
        let server = Arc::clone(&server);
        // How a connection ends is its client's business.
        std::thread::spawn(move || server.connection(stream).ok());
    }
}

impl Server {
    fn connection(&self, stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let mut connection = Connection::new(stream);
        while let Some(request) = connection.request()? {
            if request.bucket == "-" {
                self.control(&mut connection, &request)?;
            } else {
                self.one(&mut connection, &request)?;
            }
        }
        Ok(())
    }

    /// `GET /-/seen`, `GET /-/tree/bucket/prefix` and `POST /-/reset`: no bucket can have this name.
    fn control(&self, connection: &mut Connection, request: &Request) -> Result<()> {
        let mut state = self.shared.lock();
        if request.key == "reset" {
            state.seen = Seen::default();
        }
        let mut answer = Answer::new(200);
        answer.body = match request.key.strip_prefix("tree/") {
            Some(prefix) => serde_json::to_string(&state.tree(prefix))?,
            None => serde_json::to_string(&state.seen)?,
        };
        drop(state);
        connection.answer(&answer)
    }

    fn one(&self, connection: &mut Connection, request: &Request) -> Result<()> {
        let operation = ops::operation(request);
        *self.shared.lock().seen.requests.entry(operation.to_owned()).or_default() += 1;
        std::thread::sleep(Duration::from_millis(self.config.first_byte_ms));
        if !self.is_allowed(request) {
            connection.answer(&Answer::error(403, "InvalidAccessKeyId", "another server's access key"))?;
            bail!("access key");
        }
        match operation {
            "GetObject" | "HeadObject" => self.read(connection, request),
            _ => self.write(connection, request, operation),
        }
    }

    fn is_allowed(&self, request: &Request) -> bool {
        let credential = format!("Credential={}/", self.config.access_key);
        request.headers.get("authorization").is_some_and(|header| header.contains(&credential))
    }

    fn pacer(&self) -> Pacer {
        Pacer::new(self.config.mb_per_second.map(|rate| rate * 1_000_000))
    }

    fn read(&self, connection: &mut Connection, request: &Request) -> Result<()> {
        let (answer, object, offset, length) = ops::read(&self.shared.lock(), request);
        if request.method == "HEAD" {
            return connection.answer(&Answer { body: String::new(), ..answer });
        }
        if answer.length.is_some() && object.file.is_none() {
            return connection.answer(&Answer::error(501, "NotImplemented", "its bytes were discarded"));
        }
        connection.answer(&answer)?;
        if let Some(path) = object.file {
            self.send(&connection.stream, &File::open(path)?, offset, length)?;
        }
        Ok(())
    }

    fn send(&self, stream: &TcpStream, file: &File, mut offset: u64, length: u64) -> Result<()> {
        let (pacer, end, begin) = (self.pacer(), offset + length, offset);
        while offset < end {
            let piece = pacer.piece().min(end - offset) as usize;
            let sent = rustix::fs::sendfile(stream, file, Some(&mut offset), piece).context("sendfile")?;
            if sent == 0 {
                bail!("the file became shorter");
            }
            pacer.pause(offset - begin);
        }
        self.shared.lock().seen.bytes_out += length;
        Ok(())
    }

    fn write(&self, connection: &mut Connection, request: &Request, operation: &str) -> Result<()> {
        let is_data = matches!(operation, "PutObject" | "UploadPart");
        let received = receive(connection, request, self.pacer(), is_data)?;
        let mut state = self.shared.lock();
        let answer = if is_data {
            state.seen.bytes_in += received.size;
            ops::write(&mut state, request, &received)
        } else {
            ops::small(&mut state, request, &received.text)
        };
        drop(state);
        connection.answer(&answer)
    }
}

fn receive(connection: &mut Connection, request: &Request, pacer: Pacer, is_data: bool) -> Result<Received> {
    let (mut counter, mut text) = (Counter::new(), Vec::new());
    let trailers = connection.body(request, pacer, |piece| {
        if is_data {
            counter.add(piece);
        } else {
            text.extend_from_slice(piece);
        }
    })?;
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(Received { size: counter.size, crc64nvme: counter.digest.finalize(), text, trailers })
}
