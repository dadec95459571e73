/* SPDX-License-Identifier: Apache-2.0
 *
 * Command lines as data: a table of options fills a struct, and help, completions and the checks of
 * the man pages come from the same table. Options may follow operands and take '='.
 */
#ifndef OCI_WASM_OPTIONS_H
#define OCI_WASM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_kind {
	OPTION_FLAG,   /* bool */
	OPTION_STRING, /* const char * */
	OPTION_NUMBER, /* uint64_t; K, M, G suffixes are powers of 1024 */
	OPTION_LIST    /* struct string_list; may be given more than once */
};

struct string_list {
	const char **items;
	size_t count;
};

struct option_spec {
	const char *name; /* without "--" */
	char letter;      /* 0: none */
	enum option_kind kind;
	size_t offset;        /* of the member in the options struct */
	const char *argument; /* in help, such as "FILE"; NULL for flags */
	const char *help;     /* one sentence, no final dot */
	const char *values;   /* "a|b|c" when only these are taken, or NULL */
};

struct option_table {
	const struct option_spec *specs;
	size_t count;
	void *target; /* struct that is filled */
};

/* Fills the targets and moves the operands to the front of argv[0..]; returns their number, or -1 for
 * a usage error, whose one-line text is in *message (to be freed). */
int options_parse(const struct option_table *tables, size_t table_count, int argc, char **argv,
		  char **message);
void string_list_free(struct string_list *list);

/* The lines of help for a table, at most 79 columns wide. */
void options_print_help(FILE *out, const struct option_table *table);
/* Text wrapped at 79 columns, each line after @p indent spaces. */
void print_wrapped(FILE *out, const char *text, int indent);
/* The nearest of @p names to a misspelt word, or NULL when nothing is near. */
const char *nearest_word(const char *word, const char *const *names, size_t count);

#endif
