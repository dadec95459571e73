// SPDX-License-Identifier: Apache-2.0
//
// The adapter over toml++: parse, then copy into the C tree of toml.h, keys sorted by where they stand.
// toml++ is compiled without exceptions; running out of memory inside it ends the process, which the
// caps on size and depth make unlikely.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_UNDEF_MACROS 1
#define TOML_MAX_NESTED_VALUES 64
#include <toml++/toml.h>

// The private headers are C11: a compound literal in an inline function is fine with both compilers.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
extern "C" {
#include "spin/toml.h"
#include "base/buf.h"
#include "base/str.h"
}
#pragma GCC diagnostic pop

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace
{

struct context {
	ociwp_toml_problem *problem;
};

OCIW_PRINTF(4, 5) int fail(const context &ctx, ociw_code code, ociwp_place at, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(ctx.problem->text, sizeof(ctx.problem->text), fmt, args);
	va_end(args);
	ctx.problem->at = at;
	return code;
}

ociwp_place place_of(const toml::source_region &region)
{
	return {static_cast<uint32_t>(region.begin.line), static_cast<uint32_t>(region.begin.column)};
}

int copy_node(const context &ctx, const toml::node &from, unsigned depth, ociwp_toml *to);

int copy_text(const context &ctx, std::string_view text, ociwp_place at, char **to)
{
	if (text.find('\0') != std::string_view::npos)
		return fail(ctx, OCIW_ERR_FORMAT, at, "text with a NUL in it");
	*to = ociwp_strndup(text.data(), text.size());
	return *to ? 0 : OCIW_ERR_NOMEM;
}

std::string two(unsigned value)
{
	char text[16];
	snprintf(text, sizeof(text), "%02u", value);
	return text;
}

std::string date_text(const toml::date &date)
{
	char text[32];
	snprintf(text, sizeof(text), "%04u-%02u-%02u", static_cast<unsigned>(date.year),
		 static_cast<unsigned>(date.month), static_cast<unsigned>(date.day));
	return text;
}

std::string time_text(const toml::time &time)
{
	std::string text = two(time.hour) + ":" + two(time.minute) + ":" + two(time.second);
	if (time.nanosecond) {
		char fraction[16];
		snprintf(fraction, sizeof(fraction), ".%09u", static_cast<unsigned>(time.nanosecond));
		text += fraction;
		text.erase(text.find_last_not_of('0') + 1);
	}
	return text;
}

std::string date_time_text(const toml::date_time &value)
{
	std::string text = date_text(value.date) + "T" + time_text(value.time);
	if (!value.offset)
		return text;
	int minutes = value.offset->minutes;
	if (minutes == 0)
		return text + "Z";
	text += minutes < 0 ? "-" : "+";
	unsigned distance = static_cast<unsigned>(minutes < 0 ? -minutes : minutes);
	return text + two(distance / 60) + ":" + two(distance % 60);
}

// A struct of arrays of C memory is filled front to back, so that a failure can free what is there.
int copy_table(const context &ctx, const toml::table &from, unsigned depth, ociwp_toml *to)
{
	struct entry {
		const toml::key *key;
		const toml::node *node;
	};
	std::vector<entry> entries;
	entries.reserve(from.size());
	for (auto &&[key, node] : from)
		entries.push_back({&key, &node});
	std::stable_sort(entries.begin(), entries.end(), [](const entry &a, const entry &b) {
		const auto &x = a.key->source().begin, &y = b.key->source().begin;
		return x.line != y.line ? x.line < y.line : x.column < y.column;
	});
	to->type = OCIWP_TOML_TABLE;
	if (entries.empty())
		return 0;
	to->u.members = static_cast<ociwp_toml_member *>(
		ociwp_calloc(entries.size(), sizeof(ociwp_toml_member)));
	if (!to->u.members)
		return OCIW_ERR_NOMEM;
	for (const entry &each : entries) {
		ociwp_toml_member *member = &to->u.members[to->count++];
		member->value.type = OCIWP_TOML_BOOLEAN; /* owns nothing until copied */
		member->at = place_of(each.key->source());
		int r = copy_text(ctx, each.key->str(), member->at, &member->key);
		if (r == 0)
			r = copy_node(ctx, *each.node, depth, &member->value);
		if (r < 0)
			return r;
		/* A table that only dotted keys or sub-tables made has no place of its own. */
		if (!member->value.at.line)
			member->value.at = member->at;
	}
	return 0;
}

int copy_array(const context &ctx, const toml::array &from, unsigned depth, ociwp_toml *to)
{
	to->type = OCIWP_TOML_ARRAY;
	if (from.empty())
		return 0;
	to->u.items = static_cast<ociwp_toml *>(ociwp_calloc(from.size(), sizeof(ociwp_toml)));
	if (!to->u.items)
		return OCIW_ERR_NOMEM;
	for (auto &&node : from) {
		ociwp_toml *item = &to->u.items[to->count++];
		item->type = OCIWP_TOML_BOOLEAN;
		int r = copy_node(ctx, node, depth, item);
		if (r < 0)
			return r;
	}
	return 0;
}

int copy_date(const context &ctx, const std::string &text, ociwp_toml *to)
{
	int r = copy_text(ctx, text, to->at, &to->u.string);
	if (r == 0)
		to->type = OCIWP_TOML_DATE;
	return r;
}

int copy_node(const context &ctx, const toml::node &from, unsigned depth, ociwp_toml *to)
{
	to->at = place_of(from.source());
	if (depth == 0)
		return fail(ctx, OCIW_ERR_LIMIT, to->at, "nested deeper than %d levels", OCIWP_TOML_MAX_DEPTH);
	if (const toml::table *table = from.as_table())
		return copy_table(ctx, *table, depth - 1, to);
	if (const toml::array *array = from.as_array())
		return copy_array(ctx, *array, depth - 1, to);
	if (const auto *text = from.as_string()) {
		int r = copy_text(ctx, text->get(), to->at, &to->u.string);
		if (r == 0)
			to->type = OCIWP_TOML_STRING;
		return r;
	}
	if (const auto *integer = from.as_integer()) {
		to->type = OCIWP_TOML_INTEGER;
		to->u.integer = integer->get();
	} else if (const auto *number = from.as_floating_point()) {
		to->type = OCIWP_TOML_FLOAT;
		to->u.number = number->get();
	} else if (const auto *boolean = from.as_boolean()) {
		to->type = OCIWP_TOML_BOOLEAN;
		to->u.boolean = boolean->get();
	} else if (const auto *date = from.as_date()) {
		return copy_date(ctx, date_text(date->get()), to);
	} else if (const auto *time = from.as_time()) {
		return copy_date(ctx, time_text(time->get()), to);
	} else if (const auto *both = from.as_date_time()) {
		return copy_date(ctx, date_time_text(both->get()), to);
	}
	return 0;
}

// Skips a string that begins at text[i]; the place after it.
size_t skip_string(std::string_view text, size_t i)
{
	const char quote = text[i];
	const bool basic = quote == '"';
	if (text.substr(i, 3) == std::string(3, quote)) {
		for (i += 3; i < text.size(); i++) {
			if (basic && text[i] == '\\')
				i++;
			else if (text.substr(i, 3) == std::string_view(basic ? "\"\"\"" : "'''"))
				break;
		}
		/* Up to two more quotes belong to the text; they are skipped as if they opened ''. */
		i = std::min(i + 3, text.size());
		while (i < text.size() && text[i] == quote)
			i++;
		return i;
	}
	for (i++; i < text.size() && text[i] != quote && text[i] != '\n'; i++)
		if (basic && text[i] == '\\')
			i++;
	return std::min(i + 1, text.size());
}

// A dotted key makes a table a dot, by a loop, and all are freed by recursion: a key of a million dots
// would end the process. So keys are counted before toml++ sees them.
int check_dots(const context &ctx, std::string_view text)
{
	unsigned dots = 0, line = 1;
	for (size_t i = 0; i < text.size();) {
		char c = text[i];
		if (c == '"' || c == '\'') {
			size_t end = skip_string(text, i);
			line += static_cast<unsigned>(std::count(text.begin() + static_cast<ptrdiff_t>(i),
								 text.begin() + static_cast<ptrdiff_t>(end), '\n'));
			i = end;
			continue;
		}
		if (c == '#') {
			while (i < text.size() && text[i] != '\n')
				i++;
			continue;
		}
		if (c == '.' && ++dots >= OCIWP_TOML_MAX_DEPTH)
			return fail(ctx, OCIW_ERR_LIMIT, {line, 1}, "nested deeper than %d levels",
				    OCIWP_TOML_MAX_DEPTH);
		if (c == '\n' || c == ',' || c == '=' || c == '[' || c == '{')
			dots = 0;
		line += c == '\n';
		i++;
	}
	return 0;
}

} // namespace

static void release(ociwp_toml *value)
{
	if (value->type == OCIWP_TOML_TABLE) {
		for (size_t i = 0; i < value->count; i++) {
			free(value->u.members[i].key);
			release(&value->u.members[i].value);
		}
		free(value->u.members);
	} else if (value->type == OCIWP_TOML_ARRAY) {
		for (size_t i = 0; i < value->count; i++)
			release(&value->u.items[i]);
		free(value->u.items);
	} else if (value->type == OCIWP_TOML_STRING || value->type == OCIWP_TOML_DATE) {
		free(value->u.string);
	}
}

extern "C" void ociwp_toml_free(ociwp_toml *root)
{
	if (!root)
		return;
	release(root);
	free(root);
}

extern "C" int ociwp_toml_parse(ociw_span text, ociwp_toml **out, ociwp_toml_problem *problem)
{
	context ctx = {problem};
	if (text.len > OCIWP_TOML_MAX_BYTES)
		return fail(ctx, OCIW_ERR_LIMIT, {0, 0}, "%zu bytes, at most %d are read", text.len,
			    OCIWP_TOML_MAX_BYTES);
	if (!ociwp_utf8_valid(text.data, text.len))
		return fail(ctx, OCIW_ERR_FORMAT, {0, 0}, "not UTF-8 text");
	std::string_view view(text.len ? static_cast<const char *>(text.data) : "", text.len);
	int r = check_dots(ctx, view);
	if (r < 0)
		return r;
	toml::parse_result result = toml::parse(view);
	if (!result) {
		const toml::parse_error &why = result.error();
		ociwp_buf shown = OCIWP_BUF_INIT; /* it quotes the document */
		ociwp_escape(&shown, why.description().data(), why.description().size());
		r = fail(ctx, OCIW_ERR_FORMAT, place_of(why.source()), "%s",
			 shown.data && !shown.failed ? shown.data : "not valid TOML");
		ociwp_buf_deinit(&shown);
		return r;
	}
	auto *root = static_cast<ociwp_toml *>(ociwp_calloc(1, sizeof(ociwp_toml)));
	if (!root)
		return OCIW_ERR_NOMEM;
	r = copy_node(ctx, result.table(), OCIWP_TOML_MAX_DEPTH, root);
	if (r < 0) {
		ociwp_toml_free(root);
		return r;
	}
	if (!root->at.line)
		root->at = {1, 1};
	*out = root;
	return 0;
}
