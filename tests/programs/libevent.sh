# libevent: configure, libtool and make; its `regress`, a machine for each test, since it would run each in a process of its own.
# SPDX-License-Identifier: MIT
# Left out: those that fork (main/fork, util/log, thread/forking); those for which a machine has not run for long enough: a time below one second is
# not set to libevent (gettimeofday_cached, with its _sleep), and it learns what day the monotonic clock's zero was above that clock's
# fifth second (event_pending); event_closed_fd_poll, which skips itself; and what libevent itself leaves out ("Off by default", "DISABLED").
link=net,devfs,tmpfs,procfs image=test/regress expects=307
left_out="main/fork util/log thread/forking main/event_pending main/event_closed_fd_poll main/gettimeofday_cached main/gettimeofday_cached_sleep"

# QEMU's restricted network names no server of names, and initialize_nameservers wants one.
recipe_build() {
    mkdir -p ../files/etc
    echo nameserver 127.0.0.1 >../files/etc/resolv.conf
    ./configure --host="$host" --disable-shared --disable-openssl --disable-samples
    make include/event2/event-config.h
    make -j "$jobs" libevent.la libevent_pthreads.la libevent_core.la libevent_extra.la
    BAREMETAL_FILES=$PWD/../files make -j "$jobs" test/regress
}

recipe_test() {
    local each
    boot --memory 256 test/regress --list-tests | tr -d '\r' >list
    while read -r each; do
        [[ " $left_out " == *" $each "* ]] || passes "$each" regress "$each"
    done < <(sed -nE '/Off by default|DISABLED/d; s|^ *([a-z]+/[A-Za-z0-9_]+) *$|\1|p' list)
}

# regress TEST: run and passed; a skipped one says "0 tests ok". A test that keeps to its times within 50 ms gets a second try. bad_request gives six
# turns 10 ms, less than QEMU needs to translate code that runs for the first time; so it runs behind another one.
regress() {
    local try tests=("$1")
    [ "$1" != http/bad_request ] || tests=(http/basic "$1")
    for try in 1 2; do
        boot --memory 256 --cpus 2 --timeout 60 test/regress --no-fork "${tests[@]}" | tr -d '\r' | tee said
        grep -aq "^${#tests[@]} tests ok\." said && return
    done
    return 1
}
