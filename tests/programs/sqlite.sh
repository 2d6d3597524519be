# SQLite: configure and make, without threads. Its tests need Tcl in the machine: speedtest1, which checks itself, and statements of ours, whose
# output on the host is recorded; all in memory.
# SPDX-License-Identifier: MIT
link=malloc_block image=sqlite3 expects=3

recipe_build() {
    mkdir files
    cp "$recipes/sqlite/statements.sql" files/
    ./configure --host="$host" --disable-shared --disable-threadsafe --disable-tcl --disable-readline --disable-load-extension \
        config_BUILD_CC=gcc
    make sqlite3.c
    BAREMETAL_FILES=$PWD/files make -j "$jobs" sqlite3 speedtest1
}

recipe_test() {
    prints "statements.sql" "$recipes/sqlite/statements.expected" env CMDLINE=env.HOME=/ baremetal-run --timeout 60 ./sqlite3 :memory: ".read /statements.sql"
    passes "speedtest1 verifies what it reads" verified 826556 2ef302098d252181c4cb98b84a8a332a8e98506910393697
    passes "integrity of the database" boot ./sqlite3 :memory: "CREATE TABLE t(a); INSERT INTO t SELECT value FROM generate_series(1, 20000); PRAGMA integrity_check"
}

# The hash is that of the same program on the host.
verified() {
    boot ./speedtest1 --memdb --size 5 --verify >said && grep -aqF "Verification Hash: $1 $2" said
}
