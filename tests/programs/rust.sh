# Rust: cargo, a static executable that runs as a Linux program as it is. A web server of std::net and threads, to which curl and ab on the host speak, and a
# program of 24 checks of what the standard library takes from its system, whose output is that on the host.
# SPDX-License-Identifier: MIT
image=server expects=32
needs="command:rustc|rustc|compiles Rust
command:cargo|cargo|builds Rust
command:ab|apache2-utils|load on the web server"
target=x86_64-unknown-linux-gnu

recipe_version() {
    rustc --version | cut -d ' ' -f 2
}

recipe_build() {
    cp -r "$recipes/rust/." .
    env -u CC -u AR -u RANLIB RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --offline --target $target
    for program in server features; do
        baremetal-run-linux --only-image --image $program target/$target/release/$program
    done
}

recipe_test() {
    local server status=0
    target/$target/release/features >wanted.features
    prints "features" wanted.features boot --cpus 2 --memory 256 features
    count "$(grep -c '^ok: ' said || true)" 24
    port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
    PORT=$port boot --cpus 2 server 80 >console 2>&1 &
    server=$!
    passes "starts" timeout 60 curl -s --retry 50 --retry-all-errors --retry-delay 1 -o /dev/null "http://127.0.0.1:$port/"
    passes "a page" eval 'fetch / | grep -qx "request [0-9]* of a server in Rust on 2 cores"'
    passes "a sum" [ "$(fetch '/sum?n=1000')" = 332833500 ]
    passes "a wrong number" [ "$(fetch '/sum?n=x' -o /dev/null -w '%{http_code}')" = 400 ]
    passes "a page that is not there" [ "$(fetch /none -o /dev/null -w '%{http_code}')" = 404 ]
    passes "2,000 requests on 20 connections" eval 'timeout 120 ab -q -k -c 20 -n 2000 "http://127.0.0.1:$port/sum?n=100" | grep -E "^(Complete requests: +2000|Failed requests: +0)$" | wc -l | grep -qx 2'
    kill $server || true
    wait $server || status=$?
    cat console >>"$log"
    passes "ran until it was ended" [ $status -eq 143 ]
}

fetch() {
    curl -s --max-time 30 "${@:2}" "http://127.0.0.1:$port$1"
}
