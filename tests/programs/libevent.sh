# libevent: configure, libtool and make; its `regress`, a machine for each test, since it would run each in a process of its own.
# SPDX-License-Identifier: MIT
# Left out: those that fork (main/fork, util/log, thread/forking); those that take a clock below its first second for one that is not set
# (event_pending, gettimeofday_cached with its _sleep); initialize_nameservers, which fails; event_closed_fd_poll, which skips itself; and
# what libevent itself leaves out ("Off by default", "DISABLED").
link=net,devfs,tmpfs,procfs image=test/regress expects=306
left_out="main/fork util/log thread/forking main/event_pending main/gettimeofday_cached main/gettimeofday_cached_sleep
dns/initialize_nameservers main/event_closed_fd_poll"

recipe_build() {
    ./configure --host="$host" --disable-shared --disable-openssl --disable-samples
    make include/event2/event-config.h
    make -j "$jobs" libevent.la libevent_pthreads.la libevent_core.la libevent_extra.la
    make -j "$jobs" test/regress
}

recipe_test() {
    local each
    boot --memory 256 test/regress --list-tests | tr -d '\r' >list
    while read -r each; do
        [[ " ${left_out//$'\n'/ } " == *" $each "* ]] || passes "$each" regress "$each"
    done < <(sed -nE '/Off by default|DISABLED/d; s|^ *([a-z]+/[A-Za-z0-9_]+) *$|\1|p' list)
}

# regress TEST: one that was run and passed; a skipped one says "0 tests ok". A test that keeps to its times within 50 ms gets a second try.
regress() {
    local try
    for try in 1 2; do
        boot --memory 256 --cpus 2 --timeout 60 test/regress --no-fork "$1" | tr -d '\r' | tee said
        grep -aq "^1 tests ok\." said && return
    done
    return 1
}
