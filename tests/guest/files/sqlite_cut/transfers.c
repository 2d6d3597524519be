// Transactions of SQLite on a disk without an end: what it has printed was acknowledged (sqlite_cut.py).
// SPDX-License-Identifier: MIT
//
// Words: the journal's mode (delete, truncate, persist or wal), a number that the sums follow from, and
// optionally `exclusive`, the mode of locking. Transaction n moves an amount from one account to another and
// writes it into the ledger as row n with a note of some bytes; each eighth one changes many pages, more than
// the cache holds.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sqlite3.h"

enum { ACCOUNTS = 50, AMOUNT = 1000, PAGES = 150, NOTE_MAX = 6000 };

static sqlite3 *base;
static uint64_t state;

static unsigned random_below(unsigned most)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((state >> 33) % most);
}

static void run(const char *statement)
{
    char *error = NULL;
    if (sqlite3_exec(base, statement, NULL, NULL, &error)) {
        printf("FAILED: %s: %s (%d)\n", statement, error, sqlite3_extended_errcode(base));
        exit(EXIT_FAILURE);
    }
}

static int first_row(void *to, int columns, char **values, char **names)
{
    (void)names;
    if (columns > 0 && values[0])
        snprintf(to, 32, "%s", values[0]);
    return 0;
}

static void ask(const char *statement, char answer[32])
{
    char *error = NULL;
    *answer = 0;
    if (sqlite3_exec(base, statement, first_row, answer, &error)) {
        printf("FAILED: %s: %s (%d)\n", statement, error, sqlite3_extended_errcode(base));
        exit(EXIT_FAILURE);
    }
}

static void begin(const char *mode, int exclusive)
{
    char statement[100], answer[32];
    if (sqlite3_open("/data/bank.db", &base)) {
        printf("FAILED: open: %s\n", sqlite3_errmsg(base));
        exit(EXIT_FAILURE);
    }
    if (exclusive)
        run("PRAGMA locking_mode=EXCLUSIVE");
    snprintf(statement, sizeof statement, "PRAGMA journal_mode=%s", mode);
    ask(statement, answer);
    if (strcmp(answer, mode)) {
        printf("FAILED: the journal's mode is %s, not %s\n", answer, mode);
        exit(EXIT_FAILURE);
    }
    // EXTRA: with FULL a commit of the mode delete, which removes the journal, does not wait for the
    // directory.
    run("PRAGMA synchronous=EXTRA; PRAGMA cache_size=100; PRAGMA wal_autocheckpoint=200");
    run("BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS account(id INTEGER PRIMARY KEY, amount INTEGER NOT "
        "NULL);"
        "CREATE TABLE IF NOT EXISTS ledger(n INTEGER PRIMARY KEY, source INTEGER, target INTEGER, amount "
        "INTEGER, "
        "note BLOB); CREATE TABLE IF NOT EXISTS page(id INTEGER PRIMARY KEY, n INTEGER, bytes BLOB);"
        "CREATE INDEX IF NOT EXISTS by_amount ON ledger(amount, n)");
    ask("SELECT count(*) FROM account", answer);
    for (int i = 0; i < ACCOUNTS && !strcmp(answer, "0"); i++) {
        snprintf(statement, sizeof statement, "INSERT INTO account VALUES(%d, %d)", i, AMOUNT);
        run(statement);
    }
    for (int i = 0; i < PAGES && !strcmp(answer, "0"); i++) {
        snprintf(statement, sizeof statement, "INSERT INTO page VALUES(%d, 0, zeroblob(3000))", i);
        run(statement);
    }
    run("COMMIT");
}

static void transfer(unsigned long n)
{
    char statement[300];
    unsigned from = random_below(ACCOUNTS), to = random_below(ACCOUNTS), amount = random_below(100);
    run("BEGIN IMMEDIATE");
    snprintf(statement, sizeof statement,
             "UPDATE account SET amount = amount - %u WHERE id = %u; UPDATE account SET amount = amount + %u "
             "WHERE id = %u;"
             "INSERT INTO ledger VALUES(%lu, %u, %u, %u, randomblob(%u))",
             amount, from, amount, to, n, from, to, amount, random_below(NOTE_MAX));
    run(statement);
    if (n % 8 == 0) { // all pages have the same n, and bytes of it
        snprintf(statement, sizeof statement,
                 "UPDATE page SET n = %lu, bytes = CAST(printf('%%.3000d', %lu) AS BLOB)", n, n);
        run(statement);
    }
    if (n % 40 == 0) // files shrink and grow
        run("UPDATE ledger SET note = NULL WHERE n % 3 = 0");
    run("COMMIT");
}

int main(int argc, char **argv)
{
    char answer[32];
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 3)
        return EXIT_FAILURE;
    state = strtoull(argv[2], NULL, 10);
    begin(argv[1], argc > 3 && !strcmp(argv[3], "exclusive"));
    ask("SELECT coalesce(max(n), 0) FROM ledger", answer);
    unsigned long n = strtoul(answer, NULL, 10);
    ask("PRAGMA quick_check", answer);
    printf("begins behind %lu: %s\n", n, answer);
    for (;;) {
        transfer(++n);
        printf("done %lu\n", n);
    }
}
