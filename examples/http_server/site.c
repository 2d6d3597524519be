// The pages of a site: a hash table over their paths, and the response heads made in advance.
// SPDX-License-Identifier: MIT
#include "site.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *extension, *type;
} types[] = {
    {"css", "text/css; charset=utf-8"},
    {"gif", "image/gif"},
    {"html", "text/html; charset=utf-8"},
    {"ico", "image/x-icon"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"svg", "image/svg+xml"},
    {"txt", "text/plain; charset=utf-8"},
    {"wasm", "application/wasm"},
    {"webp", "image/webp"},
    {"woff2", "font/woff2"},
    {"xml", "application/xml"},
};

static const char *type_of(const char *path, size_t length)
{
    size_t dot = length;
    while (dot > 0 && path[dot - 1] != '.' && path[dot - 1] != '/')
        dot--;
    if (dot > 0 && path[dot - 1] == '.') {
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
            if (strlen(types[i].extension) == length - dot &&
                memcmp(types[i].extension, path + dot, length - dot) == 0)
                return types[i].type;
        }
    }
    return "application/octet-stream";
}

static uint32_t hash_of(const char *path, size_t length)
{
    uint32_t hash = 2166136261u; // FNV-1a
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)path[i]) * 16777619u;
    return hash;
}

bool site_init(struct site *site, size_t pages)
{
    *site = (struct site){.slot_count = 1};
    while (site->slot_count < pages && site->slot_count < SITE_PAGES_MAX)
        site->slot_count *= 2;
    site->slots = calloc(site->slot_count, sizeof(struct site_page *));
    return site->slots != NULL;
}

// Head of a 200 (`with_body`) or a 304, and its end without the date. Returns its copy on the heap, NULL when
// that fails.
static char *head_new(const struct site_page *page, bool with_body, uint16_t *length)
{
    char buffer[SITE_HEAD_MAX];
    struct text head = text_begin(buffer, sizeof(buffer));
    text_string(&head, with_body ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 304 Not Modified\r\n");
    text_string(&head, "Server: libbaremetal\r\n");
    if (with_body) {
        text_string(&head, "Content-Type: ");
        text_string(&head, page->type);
        text_string(&head, "\r\nContent-Length: ");
        text_number(&head, page->body_length);
        text_string(&head, "\r\n");
    }
    text_string(&head, "Cache-Control: no-cache\r\nETag: ");
    text_bytes(&head, page->etag, page->etag_length);
    text_string(&head, "\r\nDate: ");

    char *copy = head.full ? NULL : malloc(head.length + SITE_HEAD_END);
    if (copy != NULL) {
        memcpy(copy, buffer, head.length);
        *length = (uint16_t)head.length;
        memcpy(copy + head.length + TEXT_DATE_LENGTH, "\r\n\r\n", 4);
    }
    return copy;
}

static void page_free(struct site_page *page)
{
    if (page == NULL)
        return;
    free((char *)page->head);
    free((char *)page->unchanged);
    free((char *)page->etag);
    free(page);
}

static bool page_insert(struct site *site, struct site_page *page, const char *path, size_t length)
{
    if (length == 0 || length > SITE_PATH_MAX || path[0] != '/' || site->page_count == SITE_PAGES_MAX)
        return false;
    page->path = path;
    page->path_length = (uint16_t)length;
    page->hash = hash_of(path, length);
    struct site_page **slot = &site->slots[page->hash & (site->slot_count - 1)];
    page->next = *slot;
    *slot = page;
    site->page_count++;
    return true;
}

static bool etag_make(struct site_page *page, const char *hash)
{
    const size_t length = strlen(hash);
    if (length > 64)
        return false;
    char *etag = malloc(length + 2);
    if (etag == NULL)
        return false;
    etag[0] = '"';
    memcpy(etag + 1, hash, length);
    etag[length + 1] = '"';
    page->etag = etag;
    page->etag_length = (uint16_t)(length + 2);
    return true;
}

static bool file_insert(struct site *site, const char *path, size_t length, const char *type,
                        const void *data, size_t size, const char *hash)
{
    struct site_page *page = calloc(1, sizeof(*page));
    if (page == NULL)
        return false;
    page->type = type;
    page->body = data;
    page->body_length = size;
    if (etag_make(page, hash)) {
        page->head = head_new(page, true, &page->head_length);
        page->unchanged = head_new(page, false, &page->unchanged_length);
    }
    if (page->head != NULL && page->unchanged != NULL && page_insert(site, page, path, length))
        return true;
    page_free(page);
    return false;
}

bool site_add_file(struct site *site, const char *path, const void *data, size_t size, const char *hash)
{
    static const char index[] = "/index.html";
    const size_t length = strlen(path);
    const size_t index_length = sizeof(index) - 1;
    const char *type = type_of(path, length);
    if (!file_insert(site, path, length, type, data, size, hash))
        return false;
    if (length < index_length || memcmp(path + length - index_length, index, index_length) != 0)
        return true;
    return file_insert(site, path, length - index_length + 1, type, data, size, hash);
}

bool site_add_rendered(struct site *site, const char *path, const char *type,
                       size_t (*render)(char *out, size_t size))
{
    struct site_page *page = calloc(1, sizeof(*page));
    if (page == NULL)
        return false;
    page->type = type;
    page->render = render;
    if (page_insert(site, page, path, strlen(path)))
        return true;
    page_free(page);
    return false;
}

const struct site_page *site_find(const struct site *site, const char *path, size_t length)
{
    const uint32_t hash = hash_of(path, length);
    const struct site_page *page = site->slots[hash & (site->slot_count - 1)];
    while (page != NULL &&
           (page->hash != hash || page->path_length != length || memcmp(page->path, path, length) != 0))
        page = page->next;
    return page;
}

void site_free(struct site *site)
{
    for (uint32_t i = 0; i < site->slot_count; i++) {
        while (site->slots[i] != NULL) {
            struct site_page *page = site->slots[i];
            site->slots[i] = page->next;
            page_free(page);
        }
    }
    free(site->slots);
    *site = (struct site){0};
}
