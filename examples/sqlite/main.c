// A data base as a machine: each line of the console is a statement of SQL, its rows come as lines. `sqlite
// FILE`: another data base than one in memory, for instance on a disk.
// SPDX-License-Identifier: MIT
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static int print_row(void *unused, int columns, char **values, char **names)
{
    (void)unused;
    (void)names;
    for (int i = 0; i < columns; i++)
        printf("%s%s", i ? "|" : "", values[i] ? values[i] : "NULL");
    putchar('\n');
    return 0;
}

static int run(sqlite3 *base, const char *statement)
{
    char *reason = NULL;
    int failed = sqlite3_exec(base, statement, print_row, NULL, &reason);
    if (failed)
        printf("error: %s\n", reason ? reason : sqlite3_errstr(failed));
    sqlite3_free(reason);
    return failed;
}

int main(int argc, char **argv)
{
    static char line[4096];
    sqlite3 *base;
    if (sqlite3_open(argc > 1 ? argv[1] : ":memory:", &base)) {
        fprintf(stderr, "%s: %s\n", argv[1], sqlite3_errmsg(base));
        return 1;
    }
    printf("SQLite %s; say a statement, or quit\n", sqlite3_libversion());
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) && strcmp(line, "quit\n") != 0) {
        run(base, line);
        fflush(stdout);
    }
    return sqlite3_close(base) ? 1 : 0;
}
