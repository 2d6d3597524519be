// What the parts of the program of `ci/bench files` share.
// SPDX-License-Identifier: MIT
#pragma once

// Prints what failed and why, and ends.
_Noreturn void files_fail(const char *what);

// So many rows into a table of SQLite, 100 in each transaction, which a rollback journal makes safe.
void files_sqlite(unsigned count);
