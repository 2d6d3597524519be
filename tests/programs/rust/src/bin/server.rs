// A web server of Rust's standard library for Linux, with nothing of libbaremetal in it: a thread for each connection, which stays open.
// `server PORT`; / tells of the machine, /sum?n=1000 computes, all else is not there.
// SPDX-License-Identifier: MIT
use std::io::{BufRead, BufReader, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;
use std::{env, thread};

const HEADER_LINES: usize = 100;
const LINE: u64 = 8192;
const SUM_MAX: u64 = 1_000_000;

struct Request {
    path: String,
    stays: bool,
}

// A line of the header without its end; None: the peer has ended, or says too much.
fn line(reader: &mut impl BufRead) -> Result<Option<String>> {
    let mut text = String::new();
    std::io::Read::take(&mut *reader, LINE).read_line(&mut text)?;
    Ok(text.ends_with('\n').then(|| text.trim_end().to_string()))
}

fn request(reader: &mut impl BufRead) -> Result<Option<Request>> {
    let first = match line(reader)? {
        Some(text) => text,
        None => return Ok(None),
    };
    let mut words = first.split(' ');
    let (method, path, version) = (words.next(), words.next(), words.next());
    let mut stays = version == Some("HTTP/1.1");
    for _ in 0..HEADER_LINES {
        match line(reader)? {
            None => return Ok(None),
            Some(text) if text.is_empty() => {
                let path = if method == Some("GET") { path.unwrap_or("") } else { "" };
                return Ok(Some(Request { path: path.to_string(), stays }));
            }
            Some(text) => {
                let text = text.to_ascii_lowercase();
                if let Some(value) = text.strip_prefix("connection:") {
                    stays = value.trim() == "keep-alive";
                }
            }
        }
    }
    Ok(None)
}

fn answer(path: &str, served: u64) -> (u16, String) {
    if path == "/" {
        let cores = thread::available_parallelism().map_or(0, |number| number.get());
        return (200, format!("request {served} of a server in Rust on {cores} cores\n"));
    }
    match path.strip_prefix("/sum?n=").map(str::parse::<u64>) {
        Some(Ok(number)) if number <= SUM_MAX => (200, format!("{}\n", (0..number).map(|n| n * n).sum::<u64>())),
        Some(_) => (400, format!("n is from 0 to {SUM_MAX}\n")),
        None => (404, "there is no such page\n".to_string()),
    }
}

fn serve(stream: TcpStream, served: &AtomicU64) -> Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    while let Some(request) = request(&mut reader)? {
        let (status, body) = answer(&request.path, served.fetch_add(1, Ordering::Relaxed) + 1);
        let stays = if request.stays { "keep-alive" } else { "close" };
        let header = format!("HTTP/1.1 {status} -\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: {stays}\r\n\r\n", body.len());
        writer.write_all((header + &body).as_bytes())?;
        if !request.stays {
            break;
        }
    }
    Ok(())
}

fn main() -> Result<()> {
    let port = env::args().nth(1).unwrap_or_else(|| "8080".to_string());
    let listener = TcpListener::bind(format!("0.0.0.0:{port}"))?;
    let served = Arc::new(AtomicU64::new(0));
    println!("serving on port {port}");
    for stream in listener.incoming() {
        let served = Arc::clone(&served);
        let stream = stream?;
        thread::spawn(move || {
            if let Err(error) = serve(stream, &served) {
                eprintln!("connection: {error}");
            }
        });
    }
    Ok(())
}
