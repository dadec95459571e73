/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of ops/annotation-judge: ANN-1 to ANN-3 row by row.
 */
#include "ops/annotation-judge.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct heard {
	int count;
	char last[512];
};

static int hear(const ociw_event *event, void *user_data)
{
	struct heard *heard = user_data;
	if (event->kind == OCIW_EVENT_WARNING) {
		heard->count++;
		snprintf(heard->last, sizeof(heard->last), "%s", event->message);
	}
	return 0;
}

Test(annotation_judge, only_unknown_names_of_oci_are_a_warning)
{
	static const struct {
		const char *key, *hint; /* NULL: nothing is said */
	} rows[] = {
	        {"org.opencontainers.image.created", NULL},
	        {"org.opencontainers.image.authors", NULL},
	        {"org.opencontainers.image.url", NULL},
	        {"org.opencontainers.image.documentation", NULL},
	        {"org.opencontainers.image.source", NULL},
	        {"org.opencontainers.image.version", NULL},
	        {"org.opencontainers.image.revision", NULL},
	        {"org.opencontainers.image.vendor", NULL},
	        {"org.opencontainers.image.licenses", NULL},
	        {"org.opencontainers.image.ref.name", NULL},
	        {"org.opencontainers.image.title", NULL},
	        {"org.opencontainers.image.description", NULL},
	        {"org.opencontainers.image.base.digest", NULL},
	        {"org.opencontainers.image.base.name", NULL},
	        {"com.example.image.licence", NULL},
	        {"org.opencontainersimage.x", NULL},
	        {"x", NULL},
	        {"org.opencontainers.image.license", "org.opencontainers.image.licenses?"},
	        {"org.opencontainers.image.Title", "org.opencontainers.image.title?"},
	        {"org.opencontainers.artifact.description", "keeps names"},
	        {"org.opencontainers.", "keeps names"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct heard heard = {0};
		ociw_op op = OCIW_OP_INIT;
		op.event = hear;
		op.user_data = &heard;
		cr_assert_eq(ociwp_annotation_judge(&op, rows[i].key, NULL), 0);
		cr_assert_eq(heard.count, rows[i].hint ? 1 : 0, "%s", rows[i].key);
		if (rows[i].hint)
			cr_assert(strstr(heard.last, rows[i].hint), "%s: %s", rows[i].key,
			          heard.last);
	}
}
