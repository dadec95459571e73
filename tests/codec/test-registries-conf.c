/* SPDX-License-Identifier: Apache-2.0
 *
 * registries.conf: what the format's manual page allows, and what breaks it (MIR-1).
 */
#include "codec/registries-conf.h"

#include "base/str.h"
#include <criterion/criterion.h>
#include <stdlib.h>

static const char example[] =
        "# a comment\n"
        "unqualified-search-registries = [\"docker.io\", 'quay.io', # why\n \"x\",]\n"
        "short-name-mode=\"enforcing\"\r\n"
        "\n"
        "[[registry]]\n"
        "prefix = \"example.com/foo\"\n"
        "insecure = false # no\n"
        "blocked = false\n"
        "location = \"internal-registry.example.com/bar\"\n"
        "credential-helpers = [\"a\", [1, 2], true]\n"
        "\n"
        "[[registry.mirror]]\n"
        "location = \"mirror-0.example.com/m\"\n"
        "pull-from-mirror = \"digest-only\"\n"
        "[[registry.mirror]]\n"
        "location = \"mirror-1.example.com:5000\"\n"
        "insecure = true\n"
        "pull-from-mirror = 'tag-only'\n"
        "[[registry]]\n"
        "location = \"docker.io\"\n"
        "mirror-by-digest-only = true\n"
        "[[ registry . mirror ]]\n"
        "location = \"localhost:30020\"\n"
        "[[registry]]\n"
        "prefix = \"*.evil.example\"\n"
        "blocked = true\n"
        "[aliases]\n"
        "\"fedora\" = \"registry.fedoraproject.org/fedora\"\n"
        "prefix = \"not ours\"\n";

static int parse(const char *text, ociwp_registries_conf *conf, ociw_error **err)
{
	*conf = (ociwp_registries_conf){0};
	return ociwp_registries_conf_parse((ociw_span){text, strlen(text)}, conf, err);
}

Test(registries_conf, the_example_of_the_manual_is_read)
{
	ociwp_registries_conf conf;
	ociw_error *err = NULL;
	int r = parse(example, &conf, &err);
	cr_assert_eq(r, 0, "%s", err ? ociw_error_message(err) : "");
	cr_assert_eq(conf.count, 3);
	const ociwp_registry_entry *one = &conf.entries[0];
	cr_assert_str_eq(one->location, "internal-registry.example.com/bar");
	cr_assert_eq(one->mirror_count, 2);
	cr_assert_eq(one->mirrors[0].pull_from, OCIWP_MIRROR_DIGEST_ONLY);
	cr_assert_eq(one->mirrors[1].pull_from, OCIWP_MIRROR_TAG_ONLY);
	cr_assert(one->mirrors[1].insecure);
	cr_assert_str_eq(conf.entries[1].prefix, "docker.io");
	cr_assert(conf.entries[1].mirror_by_digest_only);
	cr_assert_str_eq(conf.entries[1].mirrors[0].location, "localhost:30020");
	cr_assert(conf.entries[2].blocked);
	ociwp_registries_conf_deinit(&conf);
}

static const struct {
	const char *name, *prefix, *location, *rewritten;
} finds[] = {
        {"example.com/foo/app", "example.com/foo", "internal-registry.example.com/bar",
         "internal-registry.example.com/bar/app"},
        {"example.com/foo", "example.com/foo", "x.io", "x.io"},
        {"example.com/foobar", NULL, NULL, NULL},
        {"docker.io/library/hello", "docker.io", "localhost:30020",
         "localhost:30020/library/hello"},
        {"a.evil.example/x", "*.evil.example", "y.io", "y.io/x"},
        {"a.b.evil.example:5000/x", NULL, NULL, NULL},
        {"evil.example/x", NULL, NULL, NULL},
        {"docker.io:5000/x", NULL, NULL, NULL},
};

Test(registries_conf, the_longest_prefix_is_found_and_replaced)
{
	ociwp_registries_conf conf;
	cr_assert_eq(parse(example, &conf, NULL), 0);
	for (size_t i = 0; i < sizeof(finds) / sizeof(finds[0]); i++) {
		const ociwp_registry_entry *entry =
		        ociwp_registries_conf_find(&conf, finds[i].name);
		if (!finds[i].prefix) {
			cr_assert_null(entry, "%s", finds[i].name);
			continue;
		}
		cr_assert_str_eq(entry->prefix, finds[i].prefix);
		char *text = ociwp_registries_conf_rewrite(entry, finds[i].location, finds[i].name);
		cr_assert_str_eq(text, finds[i].rewritten);
		free(text);
	}
	ociwp_registries_conf_deinit(&conf);
}

Test(registries_conf, a_later_file_overrides_an_equal_prefix)
{
	ociwp_registries_conf conf;
	static const char later[] = "[[registry]]\nprefix='docker.io'\nlocation='\\u0061.io'\n";
	cr_assert_eq(parse(example, &conf, NULL), 0);
	cr_assert_eq(ociwp_registries_conf_parse((ociw_span){later, strlen(later)}, &conf, NULL),
	             OCIW_ERR_FORMAT);
	ociwp_registries_conf_deinit(&conf);
	static const char good[] = "[[registry]]\nprefix='docker.io'\nlocation=\"\\u0061.io\"\n";
	cr_assert_eq(parse(example, &conf, NULL), 0);
	cr_assert_eq(ociwp_registries_conf_parse((ociw_span){good, strlen(good)}, &conf, NULL), 0);
	cr_assert_str_eq(ociwp_registries_conf_find(&conf, "docker.io/x")->location, "a.io");
	ociwp_registries_conf_deinit(&conf);
}

static const struct {
	const char *text, *message;
} bad[] = {
        {"[[registry]]\nprefix = 1\nlocation='a.io'", "line 2: prefix must be a string"},
        {"[[registry]]\nblocked = 'yes'", "line 2: blocked must be true or false"},
        {"[[registry]]\nlocation = 'https://a.io'", "bad prefix or location"},
        {"[[registry]]\nlocation = 'a.io/'", "bad prefix or location"},
        {"[[registry]]\nlocation = ''", "bad prefix or location"},
        {"[[registry]]\nblocked = true", "bad prefix or location"},
        {"[[registry]]\nprefix = '*.a.io/x'", "bad prefix or location"},
        {"[[registry]]\nprefix = 'a.*.io'", "bad prefix or location"},
        {"[[registry]]\nlocation='a.io'\n[[registry.mirror]]\n", "mirror 0 has no proper location"},
        {"[[registry.mirror]]\nlocation='a.io'",
         "line 1: [[registry.mirror]] before any [[registry]]"},
        {"[[registry]]\nlocation='a.io'\n[[registry.mirror]]\nlocation='b.io'\npull-from-mirror='"
         "never'",
         "pull-from-mirror must be"},
        {"[registries.search]\nregistries = ['docker.io']", "version 1"},
        {"[[registry]\n", "expected ]"},
        {"a = 'b", "unfinished string"},
        {"a = 'b' c", "more after the end"},
        {"a = \"\\x\"", "bad escape"},
        {"a = \"\\ud800\"", "escape of no character"},
        {"a = \"\"\"x\"\"\"", "multi-line strings"},
        {"a = {b=1}", "not supported"},
        {"a = nonsense", "unknown value"},
        {"a = [[[[[[[[[[1]]]]]]]]]]", "nested too deeply"},
        {"a = [1 2]", "expected , or ]"},
        {"a", "expected ="},
        {"= 1", "a key is missing"},
        {"a = \"\x01\"", "control byte"},
};

Test(registries_conf, broken_text_is_an_error_with_its_line)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ociwp_registries_conf conf;
		ociw_error *err = NULL;
		cr_assert_eq(parse(bad[i].text, &conf, &err), OCIW_ERR_FORMAT, "row %zu", i);
		cr_assert_not_null(strstr(ociw_error_message(err), bad[i].message), "%s: %s",
		                   bad[i].text, ociw_error_message(err));
		ociw_error_free(err);
		ociwp_registries_conf_deinit(&conf);
	}
}

Test(registries_conf, a_broken_file_adds_nothing)
{
	ociwp_registries_conf conf;
	static const char broken[] = "[[registry]]\nlocation='a.io'\n[[registry]]\nx";
	cr_assert_eq(parse(example, &conf, NULL), 0);
	cr_assert_eq(ociwp_registries_conf_parse((ociw_span){broken, strlen(broken)}, &conf, NULL),
	             OCIW_ERR_FORMAT);
	cr_assert_eq(conf.count, 3);
	cr_assert_null(ociwp_registries_conf_find(&conf, "a.io/x"));
	ociwp_registries_conf_deinit(&conf);
}

Test(registries_conf, an_empty_key_is_one_more_that_is_not_ours)
{
	ociwp_registries_conf conf;
	static const char text[] = "[\"\"]\n'' = 1\n[[\"\"]]\n[[registry]]\n'' = 2\nlocation='a.io'\n"
				   "[[registry.mirror]]\n\"\" = true\nlocation='b.io'\n";
	cr_assert_eq(parse(text, &conf, NULL), 0);
	cr_assert_eq(conf.count, 1);
	ociwp_registries_conf_deinit(&conf);
}

Test(registries_conf, an_empty_file_is_fine)
{
	ociwp_registries_conf conf;
	cr_assert_eq(parse("", &conf, NULL), 0);
	cr_assert_eq(parse("# nothing\n\n", &conf, NULL), 0);
	cr_assert_eq(conf.count, 0);
	cr_assert_null(ociwp_registries_conf_find(&conf, "a.io/x"));
	ociwp_registries_conf_deinit(&conf);
}
