/* SPDX-License-Identifier: Apache-2.0
 *
 * Parsing command lines by table, and printing help from the same table.
 */
#include "options.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define HELP_WIDTH 79
#define HELP_COLUMN 30

static char *format_message(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *format_message(const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	return text;
}

/* Distance of two short words by insertions, deletions and changes; a cap keeps it small. */
static size_t word_distance(const char *a, const char *b)
{
	size_t row[40], n = strlen(b);

	if (n >= sizeof(row) / sizeof(row[0]) || strlen(a) >= sizeof(row) / sizeof(row[0]))
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; *a; a++, i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t change = diagonal + (*a != b[j - 1]);
			diagonal = row[j];
			size_t best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
			row[j] = change < best ? change : best;
		}
	}
	return row[n];
}

const char *nearest_word(const char *word, const char *const *names, size_t count)
{
	const char *best = NULL;
	size_t best_distance = strlen(word) / 3 + 2;

	for (size_t i = 0; i < count; i++) {
		size_t distance = word_distance(word, names[i]);
		if (distance < best_distance) {
			best_distance = distance;
			best = names[i];
		}
	}
	return best;
}

static const struct option_spec *find_option(const struct option_table *tables, size_t table_count,
					     const char *name, size_t len, char letter, char **member)
{
	for (size_t t = 0; t < table_count; t++) {
		for (size_t i = 0; i < tables[t].count; i++) {
			const struct option_spec *spec = &tables[t].specs[i];
			bool match = name ? strlen(spec->name) == len &&
						    memcmp(spec->name, name, len) == 0
					  : spec->letter && spec->letter == letter;
			if (match) {
				*member = (char *)tables[t].target + spec->offset;
				return spec;
			}
		}
	}
	return NULL;
}

static char *unknown_option(const struct option_table *tables, size_t table_count, const char *name,
			    size_t len)
{
	const char *names[256];
	size_t count = 0;
	char word[40];

	for (size_t t = 0; t < table_count; t++) {
		for (size_t i = 0; i < tables[t].count && count < 256; i++)
			names[count++] = tables[t].specs[i].name;
	}
	snprintf(word, sizeof(word), "%.*s", (int)(len < 39 ? len : 39), name);
	const char *near = nearest_word(word, names, count);
	if (near)
		return format_message("unknown option --%s; did you mean --%s?", word, near);
	return format_message("unknown option --%s", word);
}

static bool is_allowed(const char *values, const char *value)
{
	size_t len = strlen(value);

	while (*values) {
		size_t n = strcspn(values, "|");
		if (n == len && memcmp(values, value, n) == 0)
			return true;
		values += n + (values[n] == '|');
	}
	return false;
}

static bool parse_number(const char *text, uint64_t *out)
{
	uint64_t value = 0, unit = 1;

	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return false;
	}
	switch (*text) {
	case 'K':
		unit = UINT64_C(1) << 10;
		break;
	case 'M':
		unit = UINT64_C(1) << 20;
		break;
	case 'G':
		unit = UINT64_C(1) << 30;
		break;
	default:
		break;
	}
	if (unit > 1)
		text++;
	return !*text && !__builtin_mul_overflow(value, unit, out);
}

/* Stores a value; NULL or the text of a usage error. */
static char *store_value(const struct option_spec *spec, char *member, const char *value)
{
	if (spec->values && !is_allowed(spec->values, value))
		return format_message("--%s takes one of %s, not \"%.60s\"", spec->name,
				      spec->values, value);
	switch (spec->kind) {
	case OPTION_FLAG:
		*(bool *)(void *)member = true;
		return NULL;
	case OPTION_STRING:
		*(const char **)(void *)member = value;
		return NULL;
	case OPTION_NUMBER:
		if (parse_number(value, (uint64_t *)(void *)member))
			return NULL;
		return format_message("--%s takes a number such as 1000 or 64M, not \"%.60s\"",
				      spec->name, value);
	case OPTION_LIST: {
		struct string_list *list = (void *)member;
		const char **items =
			reallocarray(list->items, list->count + 1, sizeof(*list->items));
		if (!items)
			return format_message("out of memory");
		list->items = items;
		items[list->count++] = value;
		return NULL;
	}
	}
	return NULL;
}

struct cursor {
	int argc, next;
	char **argv;
};

static char *parse_long(const struct option_table *tables, size_t table_count, struct cursor *at,
			const char *word)
{
	size_t len = strcspn(word, "=");
	char *member = NULL;
	const struct option_spec *spec =
		find_option(tables, table_count, word, len, 0, &member);

	if (!spec)
		return unknown_option(tables, table_count, word, len);
	if (spec->kind == OPTION_FLAG) {
		if (word[len])
			return format_message("--%s takes no value", spec->name);
		return store_value(spec, member, "");
	}
	if (word[len])
		return store_value(spec, member, word + len + 1);
	if (at->next >= at->argc)
		return format_message("--%s needs a value: %s", spec->name, spec->argument);
	return store_value(spec, member, at->argv[at->next++]);
}

static char *parse_short(const struct option_table *tables, size_t table_count, struct cursor *at,
			 const char *letters)
{
	for (; *letters; letters++) {
		char *member = NULL;
		const struct option_spec *spec =
			find_option(tables, table_count, NULL, 0, *letters, &member);
		if (!spec)
			return format_message("unknown option -%c", *letters);
		if (spec->kind != OPTION_FLAG) {
			const char *value = letters[1] == '=' ? letters + 2 : letters + 1;
			if (!letters[1]) {
				if (at->next >= at->argc)
					return format_message("-%c needs a value: %s", *letters,
							      spec->argument);
				value = at->argv[at->next++];
			}
			return store_value(spec, member, value);
		}
		char *message = store_value(spec, member, "");
		if (message)
			return message;
	}
	return NULL;
}

int options_parse(const struct option_table *tables, size_t table_count, int argc, char **argv,
		  char **message)
{
	struct cursor at = {argc, 0, argv};
	int operands = 0;
	bool only_operands = false;

	*message = NULL;
	while (at.next < argc) {
		char *word = argv[at.next++];
		if (only_operands || word[0] != '-' || !word[1]) {
			argv[operands++] = word;
			continue;
		}
		if (strcmp(word, "--") == 0) {
			only_operands = true;
			continue;
		}
		*message = word[1] == '-' ? parse_long(tables, table_count, &at, word + 2)
					  : parse_short(tables, table_count, &at, word + 1);
		if (*message)
			return -1;
	}
	return operands;
}

void string_list_free(struct string_list *list)
{
	free(list->items);
	list->items = NULL;
	list->count = 0;
}

/* Prints words from column @p column on, wrapped, continuation lines indented by @p indent. */
static void print_words(FILE *out, const char *text, int column, int indent)
{
	bool first = true;

	while (*text) {
		int len = (int)strcspn(text, " ");
		if (!first && column + 1 + len > HELP_WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (!first) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", len, text);
		column += len;
		text += len;
		text += strspn(text, " ");
		first = false;
	}
	fputc('\n', out);
}

void print_wrapped(FILE *out, const char *text, int indent)
{
	fprintf(out, "%*s", indent, "");
	print_words(out, text, indent, indent);
}

void options_print_help(FILE *out, const struct option_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct option_spec *spec = &table->specs[i];
		char left[80];
		int n = spec->letter ? snprintf(left, sizeof(left), "  -%c, --%s", spec->letter,
						spec->name)
				     : snprintf(left, sizeof(left), "      --%s", spec->name);
		if (spec->argument)
			n += snprintf(left + n, sizeof(left) - (size_t)n, " %s", spec->argument);
		if (n >= HELP_COLUMN)
			fprintf(out, "%s\n%*s", left, HELP_COLUMN, "");
		else
			fprintf(out, "%-*s", HELP_COLUMN, left);
		print_words(out, spec->help, HELP_COLUMN, HELP_COLUMN);
		if (spec->values) {
			fprintf(out, "%*s(", HELP_COLUMN, "");
			for (const char *v = spec->values; *v; v++) {
				if (*v == '|')
					fputs(", ", out);
				else
					fputc(*v, out);
			}
			fputs(")\n", out);
		}
	}
}
