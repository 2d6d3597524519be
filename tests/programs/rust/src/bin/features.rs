// What Rust's standard library takes from its system: threads, channels, locks, files, folders, time, TCP, UDP, the environment, panics.
// Each check prints a line, the same on every machine; the status is 1 when one has failed.
// SPDX-License-Identifier: MIT
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::net::{Ipv6Addr, Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{symlink, FileExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{channel, sync_channel, RecvTimeoutError};
use std::sync::{Arc, Barrier, Condvar, Mutex, Once, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, panic, process, thread};

type Check = fn() -> io::Result<bool>;

fn threads_join() -> io::Result<bool> {
    let handles: Vec<_> = (0..100u64).map(|n| thread::spawn(move || n * n)).collect();
    Ok(handles.into_iter().map(|handle| handle.join().unwrap()).sum::<u64>() == 328_350)
}

fn threads_scope() -> io::Result<bool> {
    let numbers: Vec<u32> = (0..1000).collect();
    let total = AtomicU32::new(0);
    thread::scope(|scope| {
        for part in numbers.chunks(100) {
            scope.spawn(|| total.fetch_add(part.iter().sum(), Ordering::Relaxed));
        }
    });
    Ok(total.load(Ordering::Relaxed) == 499_500)
}

fn threads_named() -> io::Result<bool> {
    let builder = thread::Builder::new().name("worker".to_string()).stack_size(256 << 10);
    Ok(builder.spawn(|| thread::current().name() == Some("worker"))?.join().unwrap())
}

fn thread_locals() -> io::Result<bool> {
    thread_local!(static WORDS: RefCell<Vec<u32>> = RefCell::new(vec![1]));
    WORDS.with(|words| words.borrow_mut().push(2));
    let other = thread::spawn(|| WORDS.with(|words| words.borrow().len())).join().unwrap();
    Ok(other == 1 && WORDS.with(|words| words.borrow().len()) == 2)
}

fn park() -> io::Result<bool> {
    let flag = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&flag);
    let parked = thread::spawn(move || {
        while seen.load(Ordering::Acquire) == 0 {
            thread::park();
        }
    });
    flag.store(1, Ordering::Release);
    parked.thread().unpark();
    Ok(parked.join().is_ok())
}

fn channels() -> io::Result<bool> {
    let (sender, receiver) = channel();
    for n in 0..8u32 {
        let sender = sender.clone();
        thread::spawn(move || (0..1000).for_each(|_| sender.send(n).unwrap()));
    }
    drop(sender);
    Ok(receiver.iter().sum::<u32>() == 28_000)
}

fn channels_bounded() -> io::Result<bool> {
    let (sender, receiver) = sync_channel(1);
    let writer = thread::spawn(move || (0..500u32).try_for_each(|n| sender.send(n)).is_ok());
    Ok(receiver.iter().eq(0..500) && writer.join().unwrap())
}

fn channel_times_out() -> io::Result<bool> {
    let (_sender, receiver) = channel::<u32>();
    let began = Instant::now();
    let result = receiver.recv_timeout(Duration::from_millis(30));
    Ok(result == Err(RecvTimeoutError::Timeout) && began.elapsed() >= Duration::from_millis(30))
}

fn mutexes() -> io::Result<bool> {
    let value = Arc::new(Mutex::new(0u32));
    let once = Arc::new(Once::new());
    let handles: Vec<_> = (0..8)
        .map(|_| {
            let (value, once) = (Arc::clone(&value), Arc::clone(&once));
            thread::spawn(move || {
                once.call_once(|| *value.lock().unwrap() += 7);
                (0..2000).for_each(|_| *value.lock().unwrap() += 1);
            })
        })
        .collect();
    handles.into_iter().for_each(|handle| handle.join().unwrap());
    let result = *value.lock().unwrap();
    Ok(result == 16_007)
}

fn readers_and_writers() -> io::Result<bool> {
    let table = Arc::new(RwLock::new(HashMap::new()));
    let writer = Arc::clone(&table);
    thread::spawn(move || (0..100).for_each(|n| drop(writer.write().unwrap().insert(n, n * 2)))).join().unwrap();
    let readers: Vec<_> = (0..4).map(|_| Arc::clone(&table)).map(|table| thread::spawn(move || table.read().unwrap()[&50])).collect();
    Ok(readers.into_iter().all(|reader| reader.join().unwrap() == 100))
}

fn conditions() -> io::Result<bool> {
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let other = Arc::clone(&pair);
    thread::spawn(move || {
        *other.0.lock().unwrap() = true;
        other.1.notify_all();
    });
    let ready = pair.1.wait_while(pair.0.lock().unwrap(), |ready| !*ready).unwrap();
    Ok(*ready)
}

fn barriers() -> io::Result<bool> {
    let (barrier, leaders) = (Arc::new(Barrier::new(6)), Arc::new(AtomicUsize::new(0)));
    let handles: Vec<_> = (0..6)
        .map(|_| {
            let (barrier, leaders) = (Arc::clone(&barrier), Arc::clone(&leaders));
            thread::spawn(move || (0..20).for_each(|_| drop(leaders.fetch_add(barrier.wait().is_leader() as usize, Ordering::Relaxed))))
        })
        .collect();
    handles.into_iter().for_each(|handle| handle.join().unwrap());
    Ok(leaders.load(Ordering::Relaxed) == 20)
}

fn panics() -> io::Result<bool> {
    panic::set_hook(Box::new(|_| {}));
    let caught = panic::catch_unwind(|| vec![1, 2, 3][env::args().count() + 5]).is_err();
    let ended = thread::spawn(|| panic!("on purpose")).join().is_err();
    let lock = Arc::new(Mutex::new(0));
    let held = Arc::clone(&lock);
    let _ = thread::spawn(move || {
        let _held = held.lock();
        panic!("with a lock")
    })
    .join();
    drop(panic::take_hook());
    Ok(caught && ended && lock.is_poisoned())
}

fn folder(name: &str) -> io::Result<PathBuf> {
    let path = env::temp_dir().join(format!("features-{}-{name}", process::id()));
    fs::create_dir_all(&path)?;
    Ok(path)
}

fn files() -> io::Result<bool> {
    let path = folder("files")?.join("text");
    fs::write(&path, "one\ntwo\nthree\n")?;
    OpenOptions::new().append(true).open(&path)?.write_all(b"four\n")?;
    let lines: Vec<_> = BufReader::new(File::open(&path)?).lines().collect::<io::Result<_>>()?;
    let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
    file.seek(SeekFrom::End(-5))?;
    let mut end = String::new();
    file.read_to_string(&mut end)?;
    file.write_at(b"ONE", 0)?;
    file.sync_all()?;
    file.set_len(7)?;
    Ok(lines.len() == 4 && end == "four\n" && fs::read_to_string(&path)? == "ONE\ntwo" && file.metadata()?.len() == 7)
}

fn folders() -> io::Result<bool> {
    let path = folder("folders")?;
    for name in ["b", "a", "c"] {
        fs::create_dir(path.join(name))?;
        File::create(path.join(name).join("file"))?;
    }
    let mut names: Vec<_> = fs::read_dir(&path)?.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<_>>()?;
    names.sort();
    let missing = fs::read(path.join("none")).map_err(|error| error.kind());
    let full = fs::remove_dir(&path).is_err();
    fs::rename(path.join("a"), path.join("d"))?;
    let moved = path.join("d/file").exists() && !path.join("a").exists();
    fs::remove_dir_all(&path)?;
    Ok(names == ["a", "b", "c"] && missing == Err(ErrorKind::NotFound) && full && moved && !path.exists())
}

fn links_and_modes() -> io::Result<bool> {
    let path = folder("links")?;
    let (file, link, hard) = (path.join("file"), path.join("link"), path.join("hard"));
    fs::write(&file, "text")?;
    symlink("file", &link)?;
    fs::hard_link(&file, &hard)?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640))?;
    let status = fs::metadata(&hard)?;
    Ok(fs::read_link(&link)? == PathBuf::from("file") && fs::read_to_string(&link)? == "text" && status.nlink() == 2
        && status.mode() & 0o777 == 0o640 && fs::symlink_metadata(&link)?.file_type().is_symlink() && fs::canonicalize(&link)? == fs::canonicalize(&file)?)
}

fn copies() -> io::Result<bool> {
    let path = folder("copies")?;
    let bytes: Vec<u8> = (0..1_000_000u32).map(|n| (n * 7) as u8).collect();
    fs::write(path.join("from"), &bytes)?;
    Ok(fs::copy(path.join("from"), path.join("to"))? == 1_000_000 && fs::read(path.join("to"))? == bytes)
}

fn clocks() -> io::Result<bool> {
    let (began, date) = (Instant::now(), SystemTime::now());
    thread::sleep(Duration::from_millis(20));
    let year = 1970 + date.duration_since(UNIX_EPOCH).unwrap().as_secs() / 31_556_952;
    Ok(began.elapsed() >= Duration::from_millis(20) && (2020..2200).contains(&year))
}

fn tcp() -> io::Result<bool> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = thread::spawn(move || -> io::Result<()> {
        for stream in listener.incoming().take(10) {
            let mut stream = stream?;
            thread::spawn(move || io::copy(&mut stream.try_clone().unwrap(), &mut stream));
        }
        Ok(())
    });
    let clients: Vec<_> = (0..10u8)
        .map(|n| {
            thread::spawn(move || -> io::Result<bool> {
                let mut stream = TcpStream::connect(address)?;
                let sent = vec![n; 100_000];
                let mut writer = stream.try_clone()?;
                let bytes = sent.clone();
                let writes = thread::spawn(move || writer.write_all(&bytes).and_then(|_| writer.shutdown(Shutdown::Write)));
                let mut got = Vec::new();
                stream.read_to_end(&mut got)?;
                writes.join().unwrap()?;
                Ok(got == sent)
            })
        })
        .collect();
    let good = clients.into_iter().all(|client| client.join().unwrap().unwrap_or(false));
    server.join().unwrap()?;
    Ok(good)
}

fn tcp_options() -> io::Result<bool> {
    let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0))?;
    let mut stream = TcpStream::connect_timeout(&listener.local_addr()?, Duration::from_secs(5))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_millis(30)))?;
    let late = stream.read(&mut [0]).map_err(|error| error.kind());
    stream.set_nonblocking(true)?;
    let none = stream.read(&mut [0]).map_err(|error| error.kind());
    let port = listener.local_addr()?;
    drop(listener.accept()?);
    drop(listener);
    let refused = TcpStream::connect(port).map_err(|error| error.kind()).err();
    Ok(stream.nodelay()? && late == Err(ErrorKind::WouldBlock) && none == Err(ErrorKind::WouldBlock) && refused == Some(ErrorKind::ConnectionRefused))
}

fn udp() -> io::Result<bool> {
    let (first, second) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    first.send_to(b"a datagram", second.local_addr()?)?;
    let mut bytes = [0; 32];
    let (size, from) = second.recv_from(&mut bytes)?;
    second.set_read_timeout(Some(Duration::from_millis(30)))?;
    let none = second.recv(&mut bytes).map_err(|error| error.kind());
    Ok(&bytes[..size] == b"a datagram" && from == first.local_addr()? && none == Err(ErrorKind::WouldBlock))
}

fn unix_sockets() -> io::Result<bool> {
    let (mut first, mut second) = UnixStream::pair()?;
    first.write_all(b"within")?;
    first.shutdown(Shutdown::Both)?;
    let mut text = String::new();
    second.read_to_string(&mut text)?;
    Ok(text == "within")
}

fn environment() -> io::Result<bool> {
    env::set_var("FEATURE", "a value");
    let gone = env::var("NO_SUCH_VARIABLE").is_err();
    let cores = thread::available_parallelism()?.get();
    Ok(env::var("FEATURE").as_deref() == Ok("a value") && gone && cores >= 1 && env::args().next().is_some())
}

fn random_maps() -> io::Result<bool> {
    let mut map = HashMap::new(); // its hashes are seeded by getrandom
    (0..100_000u64).for_each(|n| drop(map.insert(n, n)));
    Ok(map.len() == 100_000 && map.values().sum::<u64>() == 4_999_950_000)
}

fn main() {
    let checks: [(&str, Check); 24] = [
        ("threads", threads_join), ("scoped threads", threads_scope), ("a thread's name and stack", threads_named), ("thread locals", thread_locals),
        ("park", park), ("channels", channels), ("bounded channels", channels_bounded), ("a channel's timeout", channel_times_out),
        ("mutex, once", mutexes), ("readers and writers", readers_and_writers), ("conditions", conditions), ("barriers", barriers),
        ("panics", panics), ("files", files), ("folders", folders), ("links and modes", links_and_modes), ("copies", copies), ("clocks", clocks),
        ("TCP", tcp), ("TCP's options", tcp_options), ("UDP", udp), ("sockets of the file system", unix_sockets), ("environment", environment),
        ("random seeds", random_maps),
    ];
    let mut passed = 0;
    for (name, check) in checks {
        match check() {
            Ok(true) => {
                passed += 1;
                println!("ok: {name}");
            }
            Ok(false) => println!("FAILED: {name}"),
            Err(error) => println!("FAILED: {name}: {error}"),
        }
    }
    println!("{passed} of {}", checks.len());
    process::exit((passed != checks.len()) as i32);
}
