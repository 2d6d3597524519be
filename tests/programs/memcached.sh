# memcached: configure and make beside libevent.
# SPDX-License-Identifier: MIT
# It is built without sockets of the file system (its tests reach the server by TCP then). memcached/server.py
# stands where its tests look for the server. Left out: tests of TLS, of the proxy and of storage in files, which this build has not; 00-startup and
# idle-timeout, whose servers listen on 127.0.0.1 alone; ascii-auth, whose server reads a file of the host; daemonize, which forks; restart and
# shutdown, which ask for processes; and those that were not tried or take minutes.
link=net,devfs,malloc_block image=machine/memcached-debug expects=16
tests="binary-get binary-sasl binary bogus-commands cas chunked-items conn-limits dash-M dyn-maxbytes evictions expirations flags
flush-all getandtouch getset incrdecr"

recipe_build() {
    local event=$PWD/../libevent
    unpack libevent "$event"
    (cd "$event" && ./configure --host="$host" --disable-shared --disable-openssl --disable-samples --disable-libevent-regress)
    make -C "$event" include/event2/event-config.h
    make -C "$event" -j "$jobs" libevent.la
    ./configure --host="$host" --disable-coverage --disable-docs --disable-unix-socket --disable-extstore \
        CPPFLAGS="-I$event/include" LDFLAGS="-L$event/.libs"
    make -j "$jobs" memcached-debug
    mkdir machine
    mv memcached-debug memcached-debug.debug machine/
    install -m 755 "$recipes/memcached/server.py" memcached-debug
    gcc -o timedrun timedrun.c
}

# Each test is a script that starts a server of its own and says each check in the form of TAP.
recipe_test() {
    local each
    for each in $tests; do
        passes "$each" timeout 300 prove -v "t/$each.t"
    done
}
