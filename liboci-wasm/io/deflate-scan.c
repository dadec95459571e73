/* SPDX-License-Identifier: Apache-2.0
 *
 * Only the number of bits of each symbol matters, so one look into a table may skip several
 * literals and the length of a match behind them. Codes too long for the tables are rare and are
 * read bit by bit.
 */
#include "io/deflate-scan.h"

#include <string.h>

#define LITERAL_BITS OCIWP_SCAN_LITERAL_BITS
#define DISTANCE_BITS OCIWP_SCAN_DISTANCE_BITS
#define LENGTH_MAX OCIWP_SCAN_LENGTH_MAX
#define END_OF_BLOCK 256
#define LENGTH_SYMBOLS 19

/* An entry of a table: bits to skip, and what comes then. */
#define LITERAL 0x0000u /* more of the same; also for distances */
#define MATCH 0x0100u   /* a distance */
#define END 0x0200u     /* the block is over */
#define LONG 0x0400u    /* nothing was skipped: a longer code, or none */
#define BAD 0x0800u     /* a symbol that RFC 1951 has not */
#define RARE (END | LONG | BAD)
#define KIND 0xff00u
#define SKIP 0x00ffu
#define ALL 0xffu

static uint64_t load(const uint8_t *data)
{
	uint64_t bits;
	memcpy(&bits, data, sizeof(bits));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	bits = __builtin_bswap64(bits);
#endif
	return bits;
}

/* At least 57 bits from bit @p at on. */
static uint64_t peek(const uint8_t *data, size_t at)
{
	return load(data + at / 8) >> (at % 8);
}

static unsigned length_extra(unsigned symbol)
{
	return symbol < 265 || symbol == 285 ? 0 : (symbol - 261) / 4;
}

static uint16_t literal_entry(unsigned symbol, unsigned length)
{
	if (symbol < END_OF_BLOCK)
		return (uint16_t)(LITERAL | length);
	if (symbol == END_OF_BLOCK)
		return (uint16_t)(END | length);
	return symbol > 285 ? BAD : (uint16_t)(MATCH | (length + length_extra(symbol)));
}

static uint16_t distance_entry(unsigned symbol, unsigned length)
{
	unsigned extra = symbol < 4 ? 0 : symbol / 2 - 1;
	return symbol > 29 ? BAD : (uint16_t)(length + extra);
}

/* --- codes --- */

/* False when there are more codes than bits can tell apart. */
static bool make_code(ociwp_scan_code *code, const uint8_t *lengths, size_t count)
{
	uint16_t offsets[LENGTH_MAX + 1] = {0};
	int left = 1;
	memset(code->count, 0, sizeof(code->count));
	for (size_t i = 0; i < count; i++)
		code->count[lengths[i]]++;
	code->count[0] = 0;
	for (unsigned i = 1; i <= LENGTH_MAX; i++) {
		left = 2 * left - code->count[i];
		if (left < 0)
			return false;
		if (i < LENGTH_MAX)
			offsets[i + 1] = (uint16_t)(offsets[i] + code->count[i]);
	}
	for (size_t i = 0; i < count; i++)
		if (lengths[i])
			code->symbols[offsets[lengths[i]]++] = (uint16_t)i;
	return true;
}

/* Reads one symbol bit by bit: -1 when no code is like that. */
static int read_symbol(const ociwp_scan_code *code, uint64_t bits, unsigned *length)
{
	int value = 0, first = 0, index = 0;
	for (unsigned i = 1; i <= LENGTH_MAX; i++, bits >>= 1) {
		int count = code->count[i];
		value |= (int)(bits & 1);
		if (value - first < count) {
			*length = i;
			return code->symbols[index + value - first];
		}
		index += count;
		first = (first + count) * 2;
		value *= 2;
	}
	return -1;
}

static unsigned reverse(unsigned value, unsigned length)
{
	unsigned out = 0;
	for (unsigned i = 0; i < length; i++)
		out |= ((value >> i) & 1) << (length - 1 - i);
	return out;
}

/* @p used (may be NULL): bits of the index that an entry depends on, or ALL. */
static void fill_table(const ociwp_scan_code *code, uint16_t *table, uint8_t *used, unsigned bits,
                       uint16_t (*entry_of)(unsigned symbol, unsigned length))
{
	unsigned value = 0, index = 0, size = 1u << bits;
	for (unsigned i = 0; i < size; i++)
		table[i] = LONG;
	if (used)
		memset(used, ALL, size);
	for (unsigned length = 1; length <= bits; length++, value *= 2)
		for (unsigned i = 0; i < code->count[length]; i++, value++) {
			uint16_t entry = entry_of(code->symbols[index++], length);
			for (unsigned at = reverse(value, length); at < size; at += 1u << length) {
				table[at] = entry;
				if (used)
					used[at] = (uint8_t)length;
			}
		}
}

/* Joins a literal with what follows it, as far as the bits of the index tell. An index shifted to
 * the right is a smaller one, whose entry is joined already. */
static void join_literals(ociwp_deflate_scanner *s)
{
	for (unsigned i = 0; i < 1u << LITERAL_BITS; i++) {
		uint16_t entry = s->single[i], next;
		unsigned skip = entry & SKIP, behind = i >> skip, known = LITERAL_BITS - skip;
		s->joined[i] = entry;
		if ((entry & KIND) != LITERAL || behind == i)
			continue;
		next = s->joined[behind];
		if (next & (LONG | BAD) || s->used[behind] > known)
			continue;
		s->joined[i] = (uint16_t)(next + skip);
		s->used[i] = (uint8_t)(s->used[behind] + skip);
	}
}

/* --- blocks --- */

static bool skip_stored(const uint8_t *data, size_t limit, size_t *at)
{
	size_t byte = (*at + 7) / 8;
	if (byte + 4 > limit / 8)
		return false;
	unsigned len = data[byte] | (unsigned)data[byte + 1] << 8;
	unsigned complement = data[byte + 2] | (unsigned)data[byte + 3] << 8;
	*at = (byte + 4 + len) * 8;
	return (len ^ complement) == 0xffff && *at <= limit;
}

static bool fixed_codes(ociwp_deflate_scanner *s)
{
	uint8_t lengths[OCIWP_SCAN_LITERALS], distances[OCIWP_SCAN_DISTANCES];
	for (unsigned i = 0; i < sizeof(lengths); i++)
		lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
	memset(distances, 5, sizeof(distances));
	return make_code(&s->literal, lengths, sizeof(lengths)) &&
	       make_code(&s->distance, distances, sizeof(distances));
}

/* The lengths of the codes of a block, themselves coded. */
static bool read_lengths(const ociwp_scan_code *code, const uint8_t *data, size_t limit, size_t *at,
                         uint8_t *out, size_t count)
{
	for (size_t i = 0; i < count;) {
		unsigned length = 0, repeat = 1;
		uint8_t value = 0;
		if (*at > limit)
			return false;
		uint64_t bits = peek(data, *at);
		int symbol = read_symbol(code, bits, &length);
		bits >>= length;
		*at += length;
		if (symbol < 0 || (symbol == 16 && i == 0))
			return false;
		if (symbol < 16) {
			value = (uint8_t)symbol;
		} else if (symbol == 16) {
			value = out[i - 1];
			repeat = 3 + (unsigned)(bits & 3);
			*at += 2;
		} else if (symbol == 17) {
			repeat = 3 + (unsigned)(bits & 7);
			*at += 3;
		} else {
			repeat = 11 + (unsigned)(bits & 127);
			*at += 7;
		}
		if (repeat > count - i)
			return false;
		memset(out + i, value, repeat);
		i += repeat;
	}
	return true;
}

static bool read_codes(ociwp_deflate_scanner *s, const uint8_t *data, size_t limit, size_t *at)
{
	static const uint8_t order[LENGTH_SYMBOLS] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
	                                              11, 4,  12, 3, 13, 2, 14, 1, 15};
	uint8_t of_lengths[LENGTH_SYMBOLS] = {0};
	uint8_t lengths[OCIWP_SCAN_LITERALS + OCIWP_SCAN_DISTANCES];
	if (*at + 14 > limit)
		return false;
	uint64_t bits = peek(data, *at);
	size_t literals = 257 + (bits & 31), distances = 1 + (bits >> 5 & 31);
	unsigned coded = 4 + (unsigned)(bits >> 10 & 15);
	*at += 14;
	for (unsigned i = 0; i < coded; i++, *at += 3) {
		if (*at > limit)
			return false;
		of_lengths[order[i]] = peek(data, *at) & 7;
	}
	return literals <= 286 && make_code(&s->literal, of_lengths, sizeof(of_lengths)) &&
	       read_lengths(&s->literal, data, limit, at, lengths, literals + distances) &&
	       make_code(&s->literal, lengths, literals) &&
	       make_code(&s->distance, lengths + literals, distances);
}

/* One symbol, and its distance, bit by bit where the tables do not reach; @p entry is what they
 * said. False at what is no deflate, and with *over at the end of the block. */
static bool skip_rare(const ociwp_deflate_scanner *s, const uint8_t *data, unsigned entry,
                      size_t *at, bool *over)
{
	uint64_t bits = peek(data, *at);
	unsigned length = 0;
	int symbol = 0;
	if (entry == LONG) {
		symbol = read_symbol(&s->literal, bits, &length);
		entry = symbol < 0 ? BAD : literal_entry((unsigned)symbol, length);
	}
	*at += entry & SKIP;
	*over = (entry & KIND) == END;
	if ((entry & KIND) != MATCH)
		return entry != BAD;
	symbol = read_symbol(&s->distance, bits >> (entry & SKIP), &length);
	entry = symbol < 0 ? BAD : distance_entry((unsigned)symbol, length);
	*at += entry & SKIP;
	return entry != BAD;
}

/* No branch of the loop is hard to foresee: a round that has no distance adds nothing for it. It
 * takes at most 16 + 22 bits, of 56 or more that are there. */
static bool skip_symbols(const ociwp_deflate_scanner *s, const uint8_t *data, size_t limit,
                         size_t *position)
{
	size_t at = *position, byte = 0;
	uint64_t bits = 0;
	unsigned count = 0; /* of bits; byte * 8 - count is `at` */
	bool over = false, fresh = true;
	while (at <= limit && !over) {
		if (fresh) {
			bits = peek(data, at);
			byte = at / 8 + 7;
			count = 56 - at % 8;
			fresh = false;
		}
		bits |= load(data + byte) << count;
		byte += (63 - count) / 8;
		count |= 56;
		unsigned entry = s->joined[bits & ((1u << LITERAL_BITS) - 1)];
		unsigned skip = entry & SKIP;
		uint64_t behind = bits >> skip;
		unsigned distance = s->distances[behind & ((1u << DISTANCE_BITS) - 1)];
		distance &= 0u - (entry / MATCH & 1);
		if ((entry | distance) & RARE) {
			at = byte * 8 - count;
			fresh = true;
			if (!skip_rare(s, data, entry, &at, &over))
				return false;
			continue;
		}
		bits = behind >> (distance & SKIP);
		count -= skip + (distance & SKIP);
		at = byte * 8 - count;
	}
	*position = at;
	return over && at <= limit;
}

static bool skip_coded(ociwp_deflate_scanner *s, const uint8_t *data, size_t limit, bool fixed,
                       size_t *at)
{
	if (!(fixed ? fixed_codes(s) : read_codes(s, data, limit, at)))
		return false;
	fill_table(&s->literal, s->single, s->used, LITERAL_BITS, literal_entry);
	fill_table(&s->distance, s->distances, NULL, DISTANCE_BITS, distance_entry);
	join_literals(s);
	return skip_symbols(s, data, limit, at);
}

bool ociwp_deflate_scan(ociwp_deflate_scanner *scanner, const uint8_t *data, size_t len,
                        size_t *header, size_t *end)
{
	const size_t limit = len * 8;
	for (size_t at = 0; at + 3 <= limit;) {
		unsigned bits = peek(data, at) & 7, type = bits >> 1;
		*header = at;
		at += 3;
		bool whole = type == 0  ? skip_stored(data, limit, &at)
		             : type < 3 ? skip_coded(scanner, data, limit, type == 1, &at)
		                        : false;
		if (!whole)
			return false;
		*end = at;
		if (bits & 1)
			return true;
	}
	return false;
}
