/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of manifests: apps in scratch folders, their locks as text, errors as text. Header
 * only.
 */
#ifndef OCIW_TESTS_SPIN_APPS_H
#define OCIW_TESTS_SPIN_APPS_H

#include "base/buf.h"
#include "base/str.h"
#include "io/stream.h"
#include "spin/app-load.h"
#include "spin/model.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAYBE __attribute__((unused))

/* A scratch folder for the running test. */
static MAYBE char scratch[64];

static MAYBE void scratch_make(void)
{
	strcpy(scratch, "/tmp/ociw-spin-XXXXXX");
	cr_assert_not_null(mkdtemp(scratch));
}

static MAYBE int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static MAYBE void scratch_remove(void)
{
	nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static MAYBE const char *in_scratch(const char *name)
{
	static char paths[16][512];
	static unsigned next;
	char *path = paths[next++ % 16];
	snprintf(path, sizeof(paths[0]), "%s/%s", scratch, name);
	return path;
}

/* Writes a file with its folders. */
static MAYBE void put(const char *name, const char *text)
{
	char path[512];
	snprintf(path, sizeof(path), "%s", in_scratch(name));
	for (char *slash = strchr(path + strlen(scratch) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	FILE *file = fopen(path, "w");
	cr_assert_not_null(file, "%s", path);
	fputs(text, file);
	fclose(file);
}

static MAYBE void link_to(const char *target, const char *name)
{
	cr_assert_eq(symlink(target, in_scratch(name)), 0);
}

/* Warnings of the last load, one a line, rules only: "files-doubled files-nothing ". */
static MAYBE char rules[2000];
static MAYBE char messages[8000];

static MAYBE int note_rule(void *user_data, ociwp_severity severity, const ociwp_where *where,
                           const char *message, ociw_error **err)
{
	(void)user_data;
	(void)err;
	if (severity == OCIWP_SEVERITY_ERROR)
		return 0;
	snprintf(rules + strlen(rules), sizeof(rules) - strlen(rules), "%s ", where->rule);
	snprintf(messages + strlen(messages), sizeof(messages) - strlen(messages), "%s\n", message);
	return 0;
}

static MAYBE ociwp_report report_for(unsigned flags)
{
	ociwp_report report = {.file = "spin.toml", .flags = flags, .cb = note_rule};
	ociwp_limits_get(NULL, &report.limits);
	rules[0] = messages[0] = '\0';
	return report;
}

static MAYBE int load(const char *toml, unsigned flags, ociwp_app **app, ociw_error **err)
{
	ociwp_report report = report_for(flags);
	char path[512];
	snprintf(path, sizeof(path), "%s/spin.toml", scratch[0] ? scratch : "/nowhere");
	return ociwp_app_load_text((ociw_span){toml, strlen(toml)}, path, NULL, &report, app, err);
}

/* The lock of a manifest, compact; freed by the caller. */
static MAYBE char *lock_text(const ociwp_lock *lock, bool pretty)
{
	ociwp_buf buf = OCIWP_BUF_INIT;
	ociw_writer *writer = NULL;
	cr_assert_eq(ociwp_writer_new_buf(&buf, 1 << 26, &writer, NULL), 0);
	cr_assert_eq(ociwp_lock_write(lock, pretty, writer, NULL), 0);
	cr_assert_eq(ociw_writer_commit(writer, NULL), 0);
	return ociwp_buf_steal(&buf);
}

static MAYBE char *lock_of(const char *toml, unsigned flags)
{
	ociwp_app *app = NULL;
	ociw_error *err = NULL;
	int r = load(toml, flags, &app, &err);
	cr_assert_eq(r, 0, "%s", err ? ociw_error_message(err) : "");
	char *text = lock_text(app->lock, false);
	ociwp_app_free(app);
	return text;
}

/* Asserts that a lock has a part. */
#define assert_lock(toml, flags, part)                                                             \
	do {                                                                                       \
		char *text_ = lock_of((toml), (flags));                                            \
		cr_assert_not_null(strstr(text_, (part)), "%s", text_);                            \
		free(text_);                                                                       \
	} while (0)

/* Asserts the code and a part of the message. */
#define assert_refused(toml, flags, code, part)                                                    \
	do {                                                                                       \
		ociwp_app *app_ = NULL;                                                            \
		ociw_error *err_ = NULL;                                                           \
		int r_ = load((toml), (flags), &app_, &err_);                                      \
		cr_assert_eq(r_, (code), "%d: %s", r_,                                             \
		             err_ ? ociw_error_message(err_) : "accepted");                        \
		cr_assert_not_null(strstr(ociw_error_message(err_), (part)), "%s",                 \
		                   ociw_error_message(err_));                                      \
		ociw_error_free(err_);                                                             \
	} while (0)

/* Heads of manifests, to be followed by the lines at hand. */
#define APP "spin_manifest_version = 2\n[application]\nname = \"t\"\n"
#define ONE                                                                                        \
	APP "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"a\"\n[component.a]\nsource = "      \
	    "\"a.wasm\"\n"
#define V1                                                                                         \
	"spin_manifest_version = \"1\"\nname = \"old\"\ntrigger = { type = \"http\", base = "      \
	"\"/\" }\n"

#endif
