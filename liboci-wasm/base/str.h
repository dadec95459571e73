/* SPDX-License-Identifier: Apache-2.0
 *
 * Text: quoting untrusted bytes for messages, small predicates, UTF-8, hex. No locale anywhere.
 */
#ifndef OCIW_BASE_STR_H
#define OCIW_BASE_STR_H

#include <oci-wasm/export.h>
#include <string.h>

/* Untrusted text for one message: control bytes and broken UTF-8 as \xNN, shortened in the middle
 * past ~200 bytes, in double quotes. The storage is the caller's block scope: the macro makes it. */
typedef struct ociwp_quoted {
	char text[256];
} ociwp_quoted;
const char *ociwp_quote_into(ociwp_quoted *storage, const void *data, size_t len);
static inline size_t ociwp_text_len(const char *text)
{
	return text ? strlen(text) : 0;
}
#define ociwp_quote(text_) ociwp_quote_into(&(ociwp_quoted){{0}}, (text_), ociwp_text_len(text_))
#define ociwp_quote_len(data_, len_) ociwp_quote_into(&(ociwp_quoted){{0}}, (data_), (len_))

struct ociwp_buf;
/* Appends text with control bytes and broken UTF-8 as \xNN; no quotes, nothing shortened. */
void ociwp_escape(struct ociwp_buf *out, const void *data, size_t len);

static inline bool ociwp_streq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}
static inline bool ociwp_starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}
bool ociwp_ends_with(const char *text, const char *suffix);

/* ASCII only. */
static inline bool ociwp_is_digit(char c)
{
	return c >= '0' && c <= '9';
}
static inline bool ociwp_is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}
static inline bool ociwp_is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}
static inline bool ociwp_is_alpha(char c)
{
	return ociwp_is_lower(c) || ociwp_is_upper(c);
}
static inline bool ociwp_is_alnum(char c)
{
	return ociwp_is_alpha(c) || ociwp_is_digit(c);
}
static inline char ociwp_to_lower(char c)
{
	return ociwp_is_upper(c) ? (char)(c + ('a' - 'A')) : c;
}
bool ociwp_strcaseeq(const char *a, const char *b);

/* Length of the valid UTF-8 sequence at @p s (1..4), 0 when it is broken. */
size_t ociwp_utf8_sequence(const unsigned char *s, size_t len);
bool ociwp_utf8_valid(const void *data, size_t len);

void ociwp_hex_encode(char *out /* 2*len + 1 */, const void *data, size_t len);
/* Lower-case digits only; false for anything else. */
bool ociwp_hex_decode(uint8_t *out, size_t len, const char *text /* 2*len digits */);

/* Strict decimal of all of @p text, no sign, no space. */
bool ociwp_parse_u64(const char *text, size_t len, uint64_t *out);

/* Standard base64. encode: out needs 4*((len+2)/3)+1. decode takes padded or unpadded text. */
size_t ociwp_base64_encode(char *out, const void *data, size_t len, bool pad);
/* -1 when @p text is no base64; else the number of bytes put in @p out (at most 3*len/4). */
ptrdiff_t ociwp_base64_decode(uint8_t *out, const char *text, size_t len);

#endif
