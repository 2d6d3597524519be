# libmicrohttpd: configure, libtool and make, without TLS. Its programs of tests that need no libcurl, a machine for each: a server and its clients
# on 127.0.0.1 in the same machine.
# SPDX-License-Identifier: MIT
link=net,devfs,tmpfs,procfs image=src/microhttpd/test_daemon expects=34

recipe_build() {
    ./configure --host="$host" --disable-shared --disable-https --disable-curl --disable-doc --disable-examples --disable-tools
    make -j "$jobs" -C src/microhttpd check TESTS=
}

recipe_test() {
    local test
    for test in src/microhttpd/*.debug; do
        test=${test%.debug}
        passes "$(basename "$test")" boot --memory 256 --cpus 2 "$test"
    done
}
