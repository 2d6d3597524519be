# Redis: make. Its own client and benchmark, built for the host, speak to the server over 127.0.0.1, and so does a part of its own tests.
# redis/skipped has those that need fork (replicas, files that are written in the background), those that move the server to another port, those
# that need connections' order kept, which QEMU's user network does not, and those that compare clocks: QEMU's begins at a whole second.
# SPDX-License-Identifier: MIT
link=net,devfs,malloc_block image=src/redis-server expects=445
units="type/list type/hash bitops pubsub tracking"

recipe_build() {
    cp -r . ../client
    CFLAGS=-fomit-frame-pointer make -C src -j "$jobs" MALLOC=libc BUILD_TLS=no CC="$CC" AR="$AR" RANLIB="$RANLIB" redis-server
    make -C ../client/src -j "$jobs" MALLOC=libc BUILD_TLS=no CC=gcc AR=ar RANLIB=ranlib PKG_CONFIG=pkg-config redis-cli redis-benchmark
}

recipe_test() {
    local server status=0
    port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
    PORT=$port GUEST_PORT=6379 boot src/redis-server --protected-mode no --save "" --enable-debug-command yes >console 2>&1 &
    server=$!
    passes "starts" timeout 60 grep -aqm 1 "Ready to accept connections" <(tail -n +1 -f --pid=$server console)
    passes "keeps a value" answers "OK two" SET key two / GET key
    passes "keeps a list and a sorted set" answers "3 b 2 y" RPUSH list a b c / LINDEX list 1 / ZADD set 2 x 1 y / ZRANGE set 0 0
    passes "runs a script" answers "41" EVAL "return redis.call('INCRBY', KEYS[1], 41)" 1 number
    passes "its benchmark" timeout 200 ../client/src/redis-benchmark -p "$port" -c 20 -n 1000 -q -t ping,set,get,incr,lpush,rpop,sadd,hset,zadd,mset
    passes "its tests" its_tests
    count "$(grep -c '49mok' output || true)" "$(grep -cE '49m(ok|err|exception|timeout)' output || true)"
    passes "ends when it is told" timeout 20 ../client/src/redis-cli -p "$port" SHUTDOWN NOSAVE
    wait $server || status=$?
    cat console >>"$log"
    passes "ends well" [ $status -eq 0 ]
}

# Tests for servers that run already; without those that take long, replicate or save.
its_tests() {
    local unit status=0
    for unit in $units; do
        (cd ../client && timeout 300 ./runtest --host 127.0.0.1 --port "$port" --tags "-slow -needs:repl -needs:save" \
            --skipfile "$recipes/redis/skipped" --single "unit/$unit") || status=1
    done
    return $status
}

# answers TEXT COMMAND… / COMMAND…: what the commands are answered, in one line.
answers() {
    local expected=$1 said="" word command=()
    shift
    for word in "$@" /; do
        if [ "$word" = / ]; then
            said+="$(timeout 20 ../client/src/redis-cli -p "$port" "${command[@]}" | xargs) "
            command=()
        else
            command+=("$word")
        fi
    done
    echo "$said"
    [ "$said" = "$expected " ]
}
