/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of ops/fetched: what the store gives back, and what it takes for not there.
 */
#include "ops/fetched.h"
#include "pack-fixture.h"

TestSuite(fetched, .fini = app_end);

static ociwp_app_source package = {
        .registry = (char *)"r.example", .package = (char *)"a:b", .version = (char *)"1.0.0"};

static ociwp_pack begin(void)
{
	static char cache[256];
	app_begin("");
	snprintf(cache, sizeof(cache), "%s", in_app("cache"));
	ociwp_pack pack = {0};
	pack.options.cache_dir = cache;
	return pack;
}

static ociw_digest digest_of(const char *text)
{
	ociw_digest digest;
	cr_assert_eq(ociw_digest_bytes(OCIW_DIGEST_SHA256, (ociw_span){text, strlen(text)}, &digest,
	                               NULL),
	             0);
	return digest;
}

Test(fetched, a_version_is_remembered_and_no_other)
{
	ociwp_pack pack = begin();
	ociw_digest digest = digest_of("x"), got;
	ociwp_app_source other = package;
	cr_assert_not(ociwp_fetched_recall(&pack, &package, &got));
	ociwp_fetched_remember(&pack, &package, &digest);
	cr_assert(ociwp_fetched_recall(&pack, &package, &got));
	cr_assert(ociw_digest_equal(&digest, &got));
	other.version = (char *)"1.0.1";
	cr_assert_not(ociwp_fetched_recall(&pack, &other, &got));
	other = package;
	other.range = true;
	cr_assert_not(ociwp_fetched_recall(&pack, &other, &got));
	other = package;
	other.registry = NULL;
	cr_assert_not(ociwp_fetched_recall(&pack, &other, &got));
}

Test(fetched, without_a_store_nothing_is_kept)
{
	ociwp_pack pack = begin();
	ociw_digest digest = digest_of("x"), got;
	OCIWP_AUTO(str) char *path = NULL;
	pack.options.flags = OCIW_PACK_NO_CACHE;
	ociwp_fetched_remember(&pack, &package, &digest);
	cr_assert_null(ociwp_fetched_keep(&pack, &digest, in_app("a.wasm"), -1));
	cr_assert_eq(ociwp_fetched_path(&pack, &digest, &path, NULL), 0);
	cr_assert_null(path);
	cr_assert_neq(access(in_app("cache"), F_OK), 0);
	pack.options.flags = 0;
	cr_assert_not(ociwp_fetched_recall(&pack, &package, &got));
}

Test(fetched, a_note_that_is_no_digest_is_not_there)
{
	static const char *const texts[] = {"", "\n", "sha256:12\n", "text without an end",
	                                    "sha512:"};
	ociwp_pack pack = begin();
	ociw_digest digest = digest_of("x"), got;
	ociwp_fetched_remember(&pack, &package, &digest);
	char command[512];
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(command, sizeof(command), "printf '%s' >\"$(ls -d %s/packages/*)\"",
		         texts[i], pack.options.cache_dir);
		cr_assert_eq(system(command), 0);
		cr_assert_not(ociwp_fetched_recall(&pack, &package, &got), "%s", texts[i]);
	}
}

Test(fetched, a_file_is_kept_by_its_digest_from_another_file_system_too)
{
	ociwp_pack pack = begin();
	ociw_digest digest = digest_of("bytes");
	char shm[] = "/dev/shm/ociw-fetched-XXXXXX", bytes[8] = "";
	int fd = mkstemp(shm);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, "bytes", 5), 5);
	OCIWP_AUTO(str) char *kept = ociwp_fetched_keep(&pack, &digest, shm, fd);
	unlink(shm);
	close(fd);
	cr_assert_not_null(kept);
	FILE *file = fopen(kept, "r");
	cr_assert_eq(fread(bytes, 1, sizeof(bytes), file), 5);
	fclose(file);
	cr_assert_str_eq(bytes, "bytes");
}

Test(fetched, what_a_killed_run_left_in_the_store_goes_with_the_next_write)
{
	ociwp_pack pack = begin();
	ociw_digest digest = digest_of("x");
	char command[512];
	snprintf(command, sizeof(command),
	         "d=%s/packages/.new.0123456789abcdef.partial && mkdir -p $d && touch $d/new",
	         pack.options.cache_dir);
	cr_assert_eq(system(command), 0);
	ociwp_fetched_remember(&pack, &package, &digest);
	snprintf(command, sizeof(command), "test 1 = $(ls -A %s/packages | wc -l)",
	         pack.options.cache_dir);
	cr_assert_eq(system(command), 0);
}
