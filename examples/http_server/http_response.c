// HTTP/1.1 responses: head and, where it is no file, body of an answer.
// SPDX-License-Identifier: MIT
#include "http_protocol.h"

#include <string.h>

static const struct {
    uint16_t code;
    const char *reason;
} statuses[] = {
    {200, "OK"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {417, "Expectation Failed"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {505, "HTTP Version Not Supported"},
};

_Static_assert(sizeof(statuses) / sizeof(statuses[0]) == HTTP_STATUSES, "http_protocol.h says how many");

unsigned http_status_code(unsigned number)
{
    return statuses[number].code;
}

unsigned http_status_number(unsigned code)
{
    unsigned number = 0;
    while (number < HTTP_STATUSES && statuses[number].code != code)
        number++;
    return number;
}

static const char *reason_of(unsigned code)
{
    const unsigned number = http_status_number(code);
    return number < HTTP_STATUSES ? statuses[number].reason : "Unknown";
}

static void end_head(struct text *out, const struct http_request *request, const char date[TEXT_DATE_LENGTH])
{
    text_bytes(out, date, TEXT_DATE_LENGTH);
    switch ((enum http_connection)request->connection) {
    case HTTP_KEEP:
        text_bytes(out, "\r\n\r\n", 4);
        break;
    case HTTP_KEEP_TOLD:
        text_string(out, "\r\nConnection: keep-alive\r\n\r\n");
        break;
    case HTTP_CLOSE:
        text_string(out, "\r\nConnection: close\r\n\r\n");
        break;
    }
}

// A head that the page has, with today's date.
static void copy_head(struct text *out, const struct http_request *request, const char *head, size_t length,
                      const char date[TEXT_DATE_LENGTH])
{
    if (request->connection == HTTP_KEEP) {
        memcpy(out->start, head, length + SITE_HEAD_END);
        memcpy(out->start + length, date, TEXT_DATE_LENGTH);
        out->length = length + SITE_HEAD_END;
    } else {
        text_bytes(out, head, length);
        end_head(out, request, date);
    }
}

// A head made for this answer alone: of an error, or of a page that is rendered.
static void write_head(struct text *out, const struct http_request *request, const char *type, size_t length,
                       const char date[TEXT_DATE_LENGTH])
{
    text_string(out, "HTTP/1.1 ");
    text_number(out, request->status);
    text_string(out, " ");
    text_string(out, reason_of(request->status));
    text_string(out, "\r\nServer: libbaremetal\r\nContent-Type: ");
    text_string(out, type);
    text_string(out, "\r\nContent-Length: ");
    text_number(out, length);
    if (request->status == 405)
        text_string(out, "\r\nAllow: GET, HEAD");
    text_string(out, "\r\nCache-Control: no-store\r\nDate: ");
    end_head(out, request, date);
}

static void write_error_body(struct text *body, unsigned status)
{
    text_string(body, "<!doctype html><meta charset=\"utf-8\"><title>");
    text_number(body, status);
    text_string(body, " ");
    text_string(body, reason_of(status));
    text_string(body, "</title><h1>");
    text_number(body, status);
    text_string(body, " ");
    text_string(body, reason_of(status));
    text_string(body, "</h1>\n");
}

// The body comes first into the upper part of the buffer, since the head tells its length, and is then moved
// behind the head.
static void write_made(struct text *out, const struct http_request *request,
                       const char date[TEXT_DATE_LENGTH])
{
    const struct site_page *page = request->status == 200 ? request->page : NULL;
    char *upper = out->start + SITE_HEAD_MAX + 128;
    struct text body = text_begin(upper, out->size - (SITE_HEAD_MAX + 128));
    if (page != NULL)
        body.length = page->render(upper, body.size);
    else
        write_error_body(&body, request->status);

    write_head(out, request, page != NULL ? page->type : "text/html; charset=utf-8", body.length, date);
    if (!request->head_only) {
        memmove(out->start + out->length, upper, body.length);
        out->length += body.length;
    }
}

struct http_response http_response_make(const struct http_request *request, const char date[TEXT_DATE_LENGTH],
                                        char *buffer, size_t size)
{
    struct text out = text_begin(buffer, size);
    const struct site_page *page = request->page;
    bool with_body = false;

    if (request->status == 200 && page->body != NULL) {
        copy_head(&out, request, page->head, page->head_length, date);
        with_body = true;
    } else if (request->status == 304) {
        copy_head(&out, request, page->unchanged, page->unchanged_length, date);
    } else {
        page = request->status == 404 ? site_find(request->site, "/404.html", 9) : NULL;
        with_body = page != NULL && page->body != NULL;
        if (with_body)
            write_head(&out, request, page->type, page->body_length, date);
        else
            write_made(&out, request, date);
    }

    with_body = with_body && !request->head_only;
    return (struct http_response){
        .status = request->status,
        .close = request->connection == HTTP_CLOSE,
        .head_length = out.length,
        .body = with_body ? page->body : NULL,
        .body_length = with_body ? page->body_length : 0,
    };
}
