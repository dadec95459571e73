/* SPDX-License-Identifier: Apache-2.0
 *
 * TOML 1.0 as a C tree with the place of every key and value, keys in order of first mention. The
 * one door to toml++ (toml.cc); no I/O. Every use of toml++ ends here: nobody else sees C++.
 */
#ifndef OCIW_SPIN_TOML_H
#define OCIW_SPIN_TOML_H

#include "base/error.h"
#include "base/alloc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A document of more bytes, or nested deeper, is refused (LIMIT). */
#define OCIWP_TOML_MAX_BYTES (1024 * 1024)
#define OCIWP_TOML_MAX_DEPTH 64

/* Line and column of a document, both from 1; 0 when there is none. */
typedef struct ociwp_place {
	uint32_t line, column;
} ociwp_place;

typedef enum ociwp_toml_type {
	OCIWP_TOML_TABLE,
	OCIWP_TOML_ARRAY,
	OCIWP_TOML_STRING,
	OCIWP_TOML_INTEGER,
	OCIWP_TOML_FLOAT,
	OCIWP_TOML_BOOLEAN,
	OCIWP_TOML_DATE /* its text is in `string`: dates, times and both */
} ociwp_toml_type;

typedef struct ociwp_toml ociwp_toml;
typedef struct ociwp_toml_member ociwp_toml_member;

struct ociwp_toml {
	ociwp_toml_type type;
	ociwp_place at;
	size_t count; /* of members or items */
	union {
		ociwp_toml_member *members; /* TABLE */
		ociwp_toml *items;          /* ARRAY */
		char *string;               /* STRING (UTF-8 without NUL), DATE */
		int64_t integer;
		double number;
		bool boolean;
	} u;
};

struct ociwp_toml_member {
	char *key;
	ociwp_place at; /* of the key */
	ociwp_toml value;
};

/* What is wrong with a document. */
typedef struct ociwp_toml_problem {
	ociwp_place at; /* 0:0 for the whole */
	char text[240]; /* one line, escaped */
} ociwp_toml_problem;

/* Parses a document; the root is a table. FORMAT or LIMIT with *problem filled in, or NOMEM. No
 * error is made: the caller knows how the file is called. */
int ociwp_toml_parse(ociw_span text, ociwp_toml **out, ociwp_toml_problem *problem);
void ociwp_toml_free(ociwp_toml *root);
OCIWP_DEFINE_AUTO(toml, ociwp_toml *, ociwp_toml_free)

#ifdef __cplusplus
}
#endif

#endif
