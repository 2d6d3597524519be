# SQLite: configure and make, with threads; data bases in memory and in files of tmpfs, by rollback journal and by WAL, whose index is a shared mapping.
# Most of its tests need Tcl; those that do not: fuzzcheck and sessionfuzz with the cases that come with them, speedtest1, threadtest3, kvtest.
# SPDX-License-Identifier: MIT
link=tmpfs,devfs,initrd image=sqlite3 expects=9140
fuzz="fuzzdata3 fuzzdata4 fuzzdata6" # the other five take a minute or two each
threads="walthread1 walthread5 cgt_pager_1 checkpoint_starvation_2 create_drop_index_1 vacuum1 shared1"
speed_hash="826556 2ef302098d252181c4cb98b84a8a332a8e98506910393697" # of the same program on the host

recipe_build() {
    local zlib each
    unpack zlib ../zlib
    zlib=$(cd ../zlib && pwd)
    (cd "$zlib" && CHOST=$host ./configure --static && make -j "$jobs" libz.a)
    mkdir files cases
    cp "$recipes/sqlite/statements.sql" files/
    for each in $fuzz sessionfuzz-data1; do
        cp "test/$each.db" cases/
    done
    tar --format=ustar -C cases -cf cases.tar .
    ./configure --host="$host" --disable-shared --disable-tcl --disable-readline --disable-load-extension config_BUILD_CC=gcc
    make sqlite3.c
    BAREMETAL_FILES=$PWD/files make -j "$jobs" sqlite3
    make -j "$jobs" speedtest1 fuzzcheck threadtest3 kvtest
    make sessionfuzz TLIBS="-I$zlib $zlib/libz.a"
}

recipe_test() {
    local mode
    prints "statements.sql" "$recipes/sqlite/statements.expected" env CMDLINE=env.HOME=/ baremetal-run --timeout 60 ./sqlite3 :memory: ".read /statements.sql"
    passes "speedtest1 in memory" verified --memdb
    for mode in delete truncate wal; do
        passes "speedtest1 in a file, journal $mode" verified --journal $mode /tmp/speed.db
        passes "integrity, journal $mode" says ok ./sqlite3 /tmp/a.db "PRAGMA journal_mode=$mode; CREATE TABLE t(a)" \
            "INSERT INTO t SELECT value FROM generate_series(1, 20000); DELETE FROM t WHERE a % 3; VACUUM; PRAGMA integrity_check"
    done
    passes "kvtest" boot ./kvtest init /tmp/kv.db --count 500 --size 4000
    fuzzed
    passes "threadtest3" boot --cpus 2 --memory 512 ./threadtest3 $threads
    suite output "$(echo "$threads" | wc -w)"
}

# The test data bases, a machine each; both programs count their cases.
fuzzed() {
    local each cases
    for each in $fuzz; do
        passes "fuzzcheck $each" cases ./fuzzcheck "/$each.db"
        suite output 1
    done
    passes "sessionfuzz" cases ./sessionfuzz run /sessionfuzz-data1.db
    cases=$(sed -n 's/.*: *\([0-9]*\) cases, 0 crashes.*/\1/p' output)
    count "$cases" "${cases:-339}"
}

cases() {
    QEMU_ARGS="-initrd cases.tar" boot --memory 512 "$@"
}

# suite FILE LEAST: "0 errors out of N tests" in it.
suite() {
    local wrong total
    read -r wrong total < <(sed -n 's/.*\b\([0-9]\+\) errors out of \([0-9]\+\) tests.*/\1 \2/p' "$1" | tail -n 1) || true
    count $((${total:-0} - ${wrong:-0})) "${total:-$2}"
}

verified() {
    says "Verification Hash: $speed_hash" ./speedtest1 --size 5 --verify "$@"
}

# says TEXT IMAGE WORD…: it ends well and prints the text.
says() {
    local text=$1
    shift
    boot --memory 256 "$@" >said && grep -aqF "$text" said
}
