# hiredis: make. Its test program runs in one machine and speaks to Redis in another one, over 127.0.0.1 of the host (10.0.2.2 from the machine).
# It goes on to a server on a socket of the file system, which no other machine can have, and ends there; so its lines count, not its status.
# One line is not counted: it compares the text of an error with those of other C libraries, and musl says "Name does not resolve".
# SPDX-License-Identifier: MIT
link=net,devfs image=hiredis-test expects=61

recipe_build() {
    make CC="$CC" AR="$AR" hiredis-test
    unpack redis ../redis
    make -C ../redis/src -j "$jobs" MALLOC=libc BUILD_TLS=no CC="$CC" AR="$AR" RANLIB="$RANLIB" redis-server
}

recipe_test() {
    local server
    port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
    PORT=$port GUEST_PORT=6379 boot ../redis/src/redis-server --protected-mode no --save "" --enable-debug-command yes >console 2>&1 &
    server=$!
    passes "Redis starts" timeout 60 grep -aqm 1 "Ready to accept connections" <(tail -n +1 -f --pid=$server console)
    RESTRICT=off boot --terminal hiredis-test -h 10.0.2.2 -p "$port" --skip-throughput --skip-inherit-fd >lines 2>&1 || true
    kill $server || true
    wait $server || true
    cat console lines >>"$log"
    sed -i '/host cannot be resolved/d' lines
    count "$(grep -c ': .*PASSED' lines || true)" "$(grep -cE '^#[0-9]+ ' lines || true)"
}
