/* SPDX-License-Identifier: Apache-2.0
 *
 * Quoting, UTF-8, hex, numbers, base64.
 */
#include "base/str.h"
#include "base/buf.h"

static const char hex_digits[] = "0123456789abcdef";

bool ociwp_ends_with(const char *text, const char *suffix)
{
	size_t len = strlen(text), tail = strlen(suffix);

	return len >= tail && memcmp(text + len - tail, suffix, tail) == 0;
}

bool ociwp_strcaseeq(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		if (ociwp_to_lower(*a) != ociwp_to_lower(*b))
			return false;
	}
	return *a == *b;
}

size_t ociwp_utf8_sequence(const unsigned char *s, size_t len)
{
	if (!len)
		return 0;
	if (s[0] < 0x80)
		return 1;
	size_t need = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || len < need)
		return 0;
	for (size_t i = 1; i < need; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return need;
}

bool ociwp_utf8_valid(const void *data, size_t len)
{
	const unsigned char *s = data;

	for (size_t i = 0; i < len;) {
		size_t step = ociwp_utf8_sequence(s + i, len - i);
		if (!step)
			return false;
		i += step;
	}
	return true;
}

/* Bytes to take from @p s and whether they can be shown as they are. C1 controls, line separators and
 * bidirectional overrides can deceive a terminal as well as C0. */
static size_t printable(const unsigned char *s, size_t len, bool *show)
{
	size_t step = ociwp_utf8_sequence(s, len);

	*show = step > 0;
	if (step == 1)
		*show = s[0] >= 0x20 && s[0] != 0x7f;
	else if (step == 2)
		*show = !(s[0] == 0xc2 && s[1] < 0xa0);
	else if (step == 3 && s[0] == 0xe2)
		*show = !(s[1] == 0x80 && s[2] >= 0xa8 && s[2] <= 0xae) &&
			!(s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9);
	return step ? step : 1;
}

void ociwp_escape(ociwp_buf *out, const void *data, size_t len)
{
	const unsigned char *s = data;

	for (size_t i = 0; i < len;) {
		bool show;
		size_t step = printable(s + i, len - i, &show);
		if (show) {
			ociwp_buf_append(out, s + i, step);
		} else {
			for (size_t k = 0; k < step; k++)
				ociwp_buf_printf(out, "\\x%02x", s[i + k]);
		}
		i += step;
	}
}

/* Escapes as much as fits into @p room bytes without splitting; returns bytes written. */
static size_t escape_some(char *out, size_t room, const unsigned char *s, size_t len, size_t *used)
{
	size_t n = 0, i = 0;

	while (i < len) {
		bool show;
		size_t step = printable(s + i, len - i, &show);
		size_t need = show ? step : 4 * step;
		if (n + need > room)
			break;
		for (size_t k = 0; k < step; k++) {
			if (show) {
				out[n++] = (char)s[i + k];
				continue;
			}
			out[n++] = '\\';
			out[n++] = 'x';
			out[n++] = hex_digits[s[i + k] >> 4];
			out[n++] = hex_digits[s[i + k] & 15];
		}
		i += step;
	}
	*used = i;
	return n;
}

const char *ociwp_quote_into(ociwp_quoted *storage, const void *data, size_t len)
{
	const unsigned char *s = data;
	char *out = storage->text;
	size_t used, n = 0;

	out[n++] = '"';
	if (len <= 200) {
		n += escape_some(out + n, sizeof(storage->text) - 8, s, len, &used);
		if (used < len) {
			memcpy(out + n, "...", 3);
			n += 3;
		}
	} else {
		size_t tail = len - 60;
		n += escape_some(out + n, 120, s, 120, &used);
		memcpy(out + n, "...", 3);
		n += 3;
		while (tail < len && (s[tail] & 0xc0) == 0x80)
			tail++;
		n += escape_some(out + n, sizeof(storage->text) - n - 3, s + tail, len - tail,
				 &used);
	}
	out[n++] = '"';
	out[n] = '\0';
	return out;
}

void ociwp_hex_encode(char *out, const void *data, size_t len)
{
	const unsigned char *s = data;

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = hex_digits[s[i] >> 4];
		out[2 * i + 1] = hex_digits[s[i] & 15];
	}
	out[2 * len] = '\0';
}

static int hex_value(char c)
{
	if (ociwp_is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool ociwp_hex_decode(uint8_t *out, size_t len, const char *text)
{
	for (size_t i = 0; i < len; i++) {
		int high = hex_value(text[2 * i]);
		int low = high < 0 ? -1 : hex_value(text[2 * i + 1]);
		if (low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

bool ociwp_parse_u64(const char *text, size_t len, uint64_t *out)
{
	uint64_t value = 0;

	if (!len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!ociwp_is_digit(text[i]) || !ociwp_mul_ok(value, (uint64_t)10, &value) ||
		    !ociwp_add_ok(value, (uint64_t)(text[i] - '0'), &value))
			return false;
	}
	*out = value;
	return true;
}

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t ociwp_base64_encode(char *out, const void *data, size_t len, bool pad)
{
	const unsigned char *s = data;
	size_t n = 0;

	for (size_t i = 0; i < len; i += 3) {
		size_t have = len - i < 3 ? len - i : 3;
		uint32_t group = (uint32_t)s[i] << 16;
		if (have > 1)
			group |= (uint32_t)s[i + 1] << 8;
		if (have > 2)
			group |= s[i + 2];
		for (size_t k = 0; k < 4; k++) {
			if (k <= have)
				out[n++] = base64_digits[group >> (18 - 6 * k) & 63];
			else if (pad)
				out[n++] = '=';
		}
	}
	out[n] = '\0';
	return n;
}

static int base64_value(char c)
{
	if (ociwp_is_upper(c))
		return c - 'A';
	if (ociwp_is_lower(c))
		return c - 'a' + 26;
	if (ociwp_is_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

ptrdiff_t ociwp_base64_decode(uint8_t *out, const char *text, size_t len)
{
	size_t n = 0, digits = len;
	uint32_t group = 0;

	while (digits && len - digits < 2 && text[digits - 1] == '=')
		digits--;
	if ((digits != len && len % 4 != 0) || digits % 4 == 1)
		return -1;
	for (size_t i = 0; i < digits; i++) {
		int value = base64_value(text[i]);
		if (value < 0)
			return -1;
		group = group << 6 | (uint32_t)value;
		if (i % 4 == 1)
			out[n++] = (uint8_t)(group >> 4);
		else if (i % 4 == 2)
			out[n++] = (uint8_t)(group >> 2);
		else if (i % 4 == 3)
			out[n++] = (uint8_t)group;
	}
	/* Bits left over must be zero, or two texts would mean the same bytes. */
	if ((digits % 4 == 2 && (group & 15)) || (digits % 4 == 3 && (group & 3)))
		return -1;
	return (ptrdiff_t)n;
}
