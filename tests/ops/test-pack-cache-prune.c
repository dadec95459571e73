/* SPDX-License-Identifier: Apache-2.0
 *
 * Which folders of the pack cache go: those of apps that are gone and those not used for long, unless
 * somebody uses them just now or they hold what the cache did not write.
 */
#include "base/path.h"
#include "ops/pack-cache-prune.h"
#include "ops/pack-cache.h"
#include "pack-fixture.h"
#include <sys/file.h>
#include <time.h>

#define DAY (24 * 60 * 60)

TestSuite(pack_cache_prune, .fini = app_end);

/* The folder of the cache for an app at @p root, as a pack leaves it. */
static char *make_folder(const char *root)
{
	char name[OCIWP_PACK_CACHE_NAME_MAX], file[100];
	ociwp_pack_cache *cache = NULL;
	cr_assert_eq(ociwp_pack_cache_open(in_app("cache"), root, &cache, NULL), 0);
	cr_assert_not_null(cache);
	ociwp_pack_cache_free(cache);
	cr_assert(ociwp_pack_cache_name(root, name));
	snprintf(file, sizeof(file), "cache/pack/%s/index", name);
	write_text(file, "an index");
	snprintf(file, sizeof(file), "cache/pack/%s/0123.gz", name);
	write_text(file, "a blob");
	snprintf(file, sizeof(file), "cache/pack/%s/new-abcdef", name);
	write_text(file, "half a blob");
	*strrchr(file, '/') = '\0';
	return ociwp_strdup(in_app(file));
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* As the pack of another app does it, at a time to come. */
static void prune(int64_t days_later)
{
	char *own = make_folder(app_dir);
	ociwp_pack_cache_prune(own, (int64_t)time(NULL) + days_later * DAY);
	cr_expect(is_there(own), "the own folder stays whatever its age");
	free(own);
}

Test(pack_cache_prune, the_folder_of_an_app_that_is_gone_goes)
{
	app_begin("");
	char *gone = make_folder(in_app("no-such-app"));
	write_text("other/spin.toml", "");
	char *there = make_folder(in_app("other"));
	prune(0);
	cr_expect_not(is_there(gone));
	cr_expect(is_there(there));
	free(gone);
	free(there);
}

Test(pack_cache_prune, a_folder_not_used_for_long_goes)
{
	app_begin("");
	write_text("other/spin.toml", "");
	char *folder = make_folder(in_app("other"));
	prune(OCIWP_PACK_CACHE_KEEP_DAYS - 1);
	cr_expect(is_there(folder));
	prune(OCIWP_PACK_CACHE_KEEP_DAYS + 1);
	cr_expect_not(is_there(folder));
	free(folder);
}

Test(pack_cache_prune, using_a_folder_makes_it_young_again)
{
	app_begin("");
	write_text("other/spin.toml", "");
	char *folder = make_folder(in_app("other"));
	OCIWP_AUTO(str) char *note = ociwp_path_join(folder, "app");
	struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
	cr_assert_eq(utimensat(AT_FDCWD, note, old, 0), 0);
	int claim = ociwp_pack_cache_claim(folder, in_app("other"));
	cr_assert_geq(claim, 0);
	close(claim);
	prune(0);
	cr_expect(is_there(folder));
	cr_assert_eq(utimensat(AT_FDCWD, note, old, 0), 0);
	prune(0);
	cr_expect_not(is_there(folder));
	free(folder);
}

Test(pack_cache_prune, a_folder_in_use_stays)
{
	app_begin("");
	char *gone = make_folder(in_app("no-such-app"));
	int claim = ociwp_pack_cache_claim(gone, in_app("no-such-app"));
	cr_assert_geq(claim, 0);
	prune(0);
	cr_expect(is_there(gone));
	close(claim);
	prune(0);
	cr_expect_not(is_there(gone));
	free(gone);
}

/* A note about another place does not say that the app of this folder is gone. */
Test(pack_cache_prune, a_note_that_does_not_fit_is_not_believed)
{
	app_begin("");
	char *gone = make_folder(in_app("no-such-app"));
	OCIWP_AUTO(str) char *note = ociwp_path_join(gone, "app");
	FILE *file = fopen(note, "w");
	cr_assert_not_null(file);
	fputs("/no/such/app/either", file);
	fclose(file);
	prune(0);
	cr_expect(is_there(gone));
	free(gone);
}

Test(pack_cache_prune, what_the_cache_did_not_write_stays)
{
	app_begin("");
	char *gone = make_folder(in_app("no-such-app"));
	OCIWP_AUTO(str) char *precious = ociwp_path_join(gone, "precious");
	write_text(precious + strlen(app_dir) + 1, "mine");
	write_text("cache/pack/notes/index", "mine, too");
	prune(1000);
	cr_expect(is_there(precious));
	cr_expect(is_there(in_app("cache/pack/notes/index")));
	free(gone);
}

Test(pack_cache_prune, packing_prunes)
{
	app_begin("files = [\"d/*\"]\n");
	write_text("d/one", "1");
	char *gone = make_folder(in_app("no-such-app"));
	char cache[300];
	snprintf(cache, sizeof(cache), "%s/cache", app_dir);
	ociw_pack_options options = pack_options();
	options.cache_dir = cache;
	free(pack_digest(&options));
	cr_expect_not(is_there(gone));
	free(gone);
}
