// SQLite's part of `ci/bench files`.
// SPDX-License-Identifier: MIT
#include "files.h"

#include <stdio.h>

#include <sqlite3.h>

enum { ROWS_AT_ONCE = 100 };

static void run(sqlite3 *base, const char *statement)
{
    if (sqlite3_exec(base, statement, NULL, NULL, NULL))
        files_fail(sqlite3_errmsg(base));
}

void files_sqlite(unsigned count)
{
    sqlite3 *base;
    sqlite3_stmt *insert;
    if (sqlite3_open("/data/base.db", &base))
        files_fail(sqlite3_errmsg(base));
    run(base, "PRAGMA synchronous=FULL; CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, value INTEGER)");
    if (sqlite3_prepare_v2(base, "INSERT INTO t(name, value) VALUES(?, ?)", -1, &insert, NULL))
        files_fail(sqlite3_errmsg(base));
    for (unsigned i = 0; i < count; i++) {
        char name[40];
        int length = snprintf(name, sizeof name, "the row with the number %u", i);
        if (i % ROWS_AT_ONCE == 0)
            run(base, "BEGIN");
        sqlite3_bind_text(insert, 1, name, length, SQLITE_STATIC);
        sqlite3_bind_int(insert, 2, (int)(i * 7919));
        if (sqlite3_step(insert) != SQLITE_DONE || sqlite3_reset(insert))
            files_fail(sqlite3_errmsg(base));
        if (i % ROWS_AT_ONCE == ROWS_AT_ONCE - 1 || i + 1 == count)
            run(base, "COMMIT");
    }
    sqlite3_finalize(insert);
    if (sqlite3_close(base))
        files_fail(sqlite3_errmsg(base));
}
