// Fuzzer of http_server's protocol: any bytes, cut in any way, give the same answers.
// SPDX-License-Identifier: MIT
//
// @sources examples/http_server/http_protocol.c examples/http_server/http_line.c
// @sources examples/http_server/http_fields.c examples/http_server/http_body.c
// @sources examples/http_server/http_response.c examples/http_server/site.c examples/http_server/text.c
// @sources libbaremetal/base/format.c
// @includes examples/http_server
// @max_len 20000
// @dictionary tests/fuzz/http.dict
#include "http_protocol.h"

#include <stdlib.h>
#include <string.h>

struct outcome {
    size_t used, answers;
    uint64_t hash; // of everything that is answered
    bool closed, idle;
};

static struct site site;
static char date[TEXT_DATE_LENGTH];

static size_t render(char *out, size_t size)
{
    (void)size;
    memcpy(out, "x", 1);
    return 1;
}

static void set_up(void)
{
    if (site.slots != NULL)
        return;
    text_date(date, 784111777);
    if (!site_init(&site, 8) || !site_add_file(&site, "/index.html", "<h1>", 4, "abc") ||
        !site_add_file(&site, "/a b.txt", "text", 4, "def") ||
        !site_add_file(&site, "/404.html", "lost", 4, "404") ||
        !site_add_rendered(&site, "/metrics", "text/plain", render))
        abort();
}

static void mix(struct outcome *outcome, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        outcome->hash = (outcome->hash ^ (unsigned char)bytes[i]) * 1099511628211u;
}

static void take(struct outcome *outcome, struct http_request *request)
{
    static char buffer[HTTP_RESPONSE_MAX];
    const struct http_response response = http_response_make(request, date, buffer, sizeof(buffer));
    if (response.head_length > sizeof(buffer) || response.status < 200 || response.status > 505 ||
        (response.body == NULL) != (response.body_length == 0))
        abort();
    mix(outcome, buffer, response.head_length);
    mix(outcome, response.body, response.body_length);
    outcome->answers++;
    outcome->closed = response.close;
    http_request_reset(request);
}

// Portions of 1 … `most` bytes, their lengths from `seed`; each in a piece of heap of its own.
static struct outcome play(const uint8_t *data, size_t size, uint32_t seed, size_t most)
{
    struct outcome outcome = {0};
    struct http_request request;
    http_request_init(&request, &site);
    while (outcome.used < size && !outcome.closed) {
        seed = seed * 1664525 + 1013904223;
        size_t length = 1 + (seed >> 8) % most;
        if (length > size - outcome.used)
            length = size - outcome.used;
        char *portion = malloc(length);
        if (portion == NULL)
            abort();
        memcpy(portion, data + outcome.used, length);
        for (size_t at = 0; at < length && !outcome.closed;) {
            const size_t used = http_request_feed(&request, portion + at, length - at);
            if (used > length - at || (used < length - at && !request.done))
                abort();
            at += used;
            if (request.done)
                take(&outcome, &request);
        }
        free(portion);
        outcome.used += length;
    }
    outcome.idle = http_request_idle(&request);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    set_up();
    const uint32_t seed = size > 0 ? (uint32_t)(data[0] * 2654435761u + size) : 0;
    const struct outcome whole = play(data, size, 0, SIZE_MAX >> 32);
    const size_t portions[] = {1, 3, 40, 1460};
    for (size_t i = 0; i < sizeof(portions) / sizeof(portions[0]); i++) {
        const struct outcome cut = play(data, size, seed, portions[i]);
        if (cut.answers != whole.answers || cut.hash != whole.hash || cut.closed != whole.closed ||
            cut.idle != whole.idle)
            abort();
    }
    return 0;
}
