// Threads, maps, channels and caught panics of a Rust program.
// SPDX-License-Identifier: MIT
use std::collections::HashMap;
use std::sync::mpsc;
use std::thread;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    println!("arguments {:?}", arguments);
    let threads: Vec<_> = (0..4u64)
        .map(|i| {
            thread::spawn(move || {
                let mut map = HashMap::new();
                for j in 0..1000u64 {
                    map.insert(j, j * i);
                }
                map.values().sum::<u64>()
            })
        })
        .collect();
    let sum: u64 = threads.into_iter().map(|t| t.join().unwrap()).sum();
    println!("sum {}", sum);
    let (sender, receiver) = mpsc::channel();
    let producer = thread::spawn(move || (0..1000).for_each(|i| sender.send(i).unwrap()));
    println!("received {}", receiver.iter().sum::<i32>());
    producer.join().unwrap();
    std::panic::set_hook(Box::new(|_| println!("panicked")));
    let caught = std::panic::catch_unwind(|| {
        let none: Vec<i32> = vec![];
        none[std::env::args().count()]
    });
    println!("caught {}", caught.is_err());
    std::process::exit(5);
}
