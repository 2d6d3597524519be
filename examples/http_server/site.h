// The pages of a site: found by path, each with its response heads ready.
// SPDX-License-Identifier: MIT
#pragma once

#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SITE_PATH_MAX = 255,                  // longest path of a page
    SITE_HEAD_MAX = 320,                  // longest response head of a page, up to and with "Date: "
    SITE_HEAD_END = TEXT_DATE_LENGTH + 4, // what follows it in most answers: a date and an empty line
    SITE_PAGES_MAX = 4096                 // paths in one site
};

// One path. Everything that an answer needs is worked out when the page is added.
struct site_page {
    struct site_page *next; // in the same slot of the hash table
    uint32_t hash;
    uint16_t path_length;
    const char *path; // "/index.html"; not terminated
    const char *type; // value of Content-Type
    const char *body; // NULL for a page that is rendered at each request
    size_t body_length;
    size_t (*render)(char *out, size_t size); // writes at most `size` bytes, returns how many
    const char *etag;                         // with its quotes; NULL for a rendered page
    uint16_t etag_length;
    uint16_t head_length;         // of `head`: status 200, up to and with "Date: "
    uint16_t unchanged_length;    // of `unchanged`: status 304, likewise
    const char *head, *unchanged; // followed by SITE_HEAD_END bytes, with room for the date; NULL for a
                                  // rendered page
};

struct site {
    struct site_page **slots;
    uint32_t slot_count; // a power of two, at least 1
    uint32_t page_count;
};

// Makes an empty site with room for about `pages` pages. Returns false when memory is short.
bool site_init(struct site *site, size_t pages);

// Adds a file that stays in memory unchanged: `path` begins with a slash, `hash` goes into its ETag (no
// quotes). An index.html is also found under its folder's path. Returns false when memory is short or the
// path or the hash is too long.
bool site_add_file(struct site *site, const char *path, const void *data, size_t size, const char *hash);

// Adds a page that `render` writes at each request.
bool site_add_rendered(struct site *site, const char *path, const char *type,
                       size_t (*render)(char *out, size_t size));

// The page of exactly that path (decoded, without query), or NULL. Dot segments are not resolved: a browser
// does that before it asks, so a path that still has them names nothing.
const struct site_page *site_find(const struct site *site, const char *path, size_t length);

// Frees what the site holds (the files' data is not its own).
void site_free(struct site *site);
