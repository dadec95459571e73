/* SPDX-License-Identifier: Apache-2.0
 *
 * Staging and the one rename (extraction.md D6-D9).
 */
#include "ops/extract-staging.h"

#include "../support/images.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

static int begin(const struct place *place, ociwp_staging **out, char *why)
{
	ociw_error *err = NULL;
	int r = ociwp_staging_begin(place->out, out, &err);
	if (why)
		snprintf(why, 512, "%s", ociw_error_message(err));
	ociw_error_free(err);
	return r;
}

Test(extract_staging, nothing_is_at_the_destination_before_publish)
{
	struct place place = place_new();
	ociwp_staging *staging = NULL;
	struct stat st;
	cr_assert_eq(begin(&place, &staging, NULL), 0);
	cr_expect_eq(access(place.out, F_OK), -1);
	cr_assert_eq(fstat(ociwp_staging_root(staging), &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0700);
	cr_expect_str_eq(ociwp_staging_destination(staging), place.out);
	cr_assert_eq(ociwp_staging_publish(staging, true, NULL), 0);
	cr_expect_eq(access(place.out, F_OK), 0);
	cr_expect_eq(place_count(&place), 1);
	place_free(&place);
}

Test(extract_staging, abort_leaves_nothing)
{
	struct place place = place_new();
	ociwp_staging *staging = NULL;
	cr_assert_eq(begin(&place, &staging, NULL), 0);
	cr_assert_eq(mkdirat(ociwp_staging_root(staging), "d", 0), 0);
	cr_assert_eq(fchmod(ociwp_staging_root(staging), 0), 0);
	ociwp_staging_abort(staging);
	cr_expect_eq(place_count(&place), 0);
	place_free(&place);
}

Test(extract_staging, an_empty_directory_is_replaced)
{
	struct place place = place_new();
	ociwp_staging *staging = NULL;
	cr_assert_eq(mkdir(place.out, 0755), 0);
	cr_assert_eq(begin(&place, &staging, NULL), 0);
	cr_assert_eq(mkdirat(ociwp_staging_root(staging), "d", 0755), 0);
	cr_assert_eq(ociwp_staging_publish(staging, false, NULL), 0);
	cr_expect(place_has(&place, "d"));
	place_free(&place);
}

Test(extract_staging, a_full_directory_a_file_and_a_link_are_refused)
{
	struct place place = place_new();
	ociwp_staging *staging = NULL;
	char why[512], inside[128];
	cr_assert_eq(mkdir(place.out, 0755), 0);
	snprintf(inside, sizeof(inside), "%s/x", place.out);
	cr_assert_eq(mkdir(inside, 0755), 0);
	cr_expect_eq(begin(&place, &staging, why), OCIW_ERR_EXISTS);
	cr_expect(strstr(why, "not empty") != NULL, "%s", why);
	cr_assert_eq(rmdir(inside), 0);
	cr_assert_eq(rmdir(place.out), 0);
	cr_assert_eq(symlink("/", place.out), 0);
	cr_expect_eq(begin(&place, &staging, NULL), OCIW_ERR_EXISTS);
	cr_expect_eq(place_count(&place), 1);
	place_free(&place);
}

Test(extract_staging, a_destination_filled_meanwhile_is_kept)
{
	struct place place = place_new();
	ociwp_staging *staging = NULL;
	char inside[128];
	cr_assert_eq(begin(&place, &staging, NULL), 0);
	cr_assert_eq(mkdir(place.out, 0755), 0);
	snprintf(inside, sizeof(inside), "%s/x", place.out);
	cr_assert_eq(mkdir(inside, 0755), 0);
	cr_expect_eq(ociwp_staging_publish(staging, false, NULL), OCIW_ERR_EXISTS);
	cr_expect(place_has(&place, "x"));
	cr_expect_eq(place_count(&place), 1);
	place_free(&place);
}

Test(extract_staging, destinations_without_a_name_are_refused)
{
	static const char *const names[] = {"", "/", ".", "..", "/tmp/..", "/tmp/./"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(names); i++) {
		ociwp_staging *staging = NULL;
		cr_expect_eq(ociwp_staging_begin(names[i], &staging, NULL), OCIW_ERR_INVALID, "%s",
			     names[i]);
	}
	ociwp_staging *staging = NULL;
	cr_expect_eq(ociwp_staging_begin("/no/such/parent/x", &staging, NULL), OCIW_ERR_NOTFOUND);
}

Test(extract_staging, final_slashes_and_long_names_are_fine)
{
	struct place place = place_new();
	ociwp_staging *staging = NULL;
	char path[512], name[256];
	snprintf(path, sizeof(path), "%s//", place.out);
	cr_assert_eq(ociwp_staging_begin(path, &staging, NULL), 0);
	cr_assert_eq(ociwp_staging_publish(staging, false, NULL), 0);
	cr_expect(place_has(&place, "."));
	memset(name, 'n', 255);
	name[255] = '\0';
	snprintf(path, sizeof(path), "%s/%s", place.dir, name);
	cr_assert_eq(ociwp_staging_begin(path, &staging, NULL), 0);
	cr_assert_eq(ociwp_staging_publish(staging, false, NULL), 0);
	cr_expect_eq(access(path, F_OK), 0);
	place_free(&place);
}

/* D8: what a killed run left is removed by the next, what a live one holds is not. */
Test(extract_staging, leftovers_of_dead_runs_are_removed)
{
	struct place place = place_new();
	ociwp_staging *staging = NULL;
	pid_t child = fork();
	if (child == 0) {
		if (begin(&place, &staging, NULL) == 0)
			(void)mkdirat(ociwp_staging_root(staging), "d", 0755);
		kill(getpid(), SIGKILL);
	}
	cr_assert_eq(waitpid(child, NULL, 0), child);
	cr_expect_eq(place_count(&place), 1, "the dead run's directory");
	cr_assert_eq(begin(&place, &staging, NULL), 0);
	cr_expect_eq(place_count(&place), 1, "only ours");
	ociwp_staging *second = NULL;
	cr_assert_eq(begin(&place, &second, NULL), 0);
	cr_expect_eq(place_count(&place), 2, "a live one is left alone");
	ociwp_staging_abort(second);
	ociwp_staging_abort(staging);
	cr_expect_eq(place_count(&place), 0);
	place_free(&place);
}

/* A layer may give the top of a tree away (--same-owner); a run that is killed then leaves that. */
Test(extract_staging, the_superuser_removes_leftovers_of_others_only_where_nobody_else_writes)
{
	static const mode_t modes[] = {0755, 0775, 0757};
	if (geteuid() != 0)
		cr_skip_test("needs the superuser");
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct place place = place_new();
		ociwp_staging *staging = NULL;
		char path[512];
		snprintf(path, sizeof(path), "%s/.old.0123456789abcdef.partial", place.dir);
		cr_assert_eq(mkdir(path, 0700), 0);
		cr_assert_eq(chown(path, 1000, 1000), 0);
		cr_assert_eq(chmod(place.dir, modes[i]), 0);
		cr_assert_eq(ociwp_staging_begin(place.out, &staging, NULL), 0);
		ociwp_staging_abort(staging);
		cr_expect_eq(access(path, F_OK) != 0, modes[i] == 0755, "mode %o", modes[i]);
		place_free(&place);
	}
}

Test(extract_staging, other_names_are_not_taken_for_leftovers)
{
	static const char *const names[] = {".x.partial", ".x.0123456789abcde.partial",
					    "x.0123456789abcdef.partial",
					    ".x.0123456789abcdeF.partial"};
	struct place place = place_new();
	ociwp_staging *staging = NULL;
	char path[160];
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", place.dir, names[i]);
		cr_assert_eq(mkdir(path, 0755), 0);
	}
	cr_assert_eq(begin(&place, &staging, NULL), 0);
	ociwp_staging_abort(staging);
	cr_expect_eq(place_count(&place), 4);
	place_free(&place);
}

Test(extract_staging, any_umask_will_do)
{
	struct place place = place_new();
	ociwp_staging *staging = NULL;
	struct stat st;
	mode_t before = umask(0777);
	int r = begin(&place, &staging, NULL);
	umask(before);
	cr_assert_eq(r, 0);
	cr_assert_eq(fstat(ociwp_staging_root(staging), &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0700);
	cr_expect(ociwp_staging_odd_umask(staging));
	ociwp_staging_abort(staging);
	place_free(&place);
}
