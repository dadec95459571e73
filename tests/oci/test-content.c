/* SPDX-License-Identifier: Apache-2.0
 *
 * The front of contents: what leaves it is verified, what is missing is named.
 */
#include "../support/streams.h"
#include "oci/content.h"
#include "oci/descriptor.h"

#include <criterion/criterion.h>

/* An end that claims one blob, and serves what the test wants. */
struct liar {
	const char *serves;
	int frees;
};

static int liar_resolve(void *self, const char *name, const ociw_op *op, ociw_descriptor **out,
			ociw_error **err)
{
	(void)self;
	(void)name;
	(void)op;
	return ociwp_descriptor_of_bytes("text/plain", (ociw_span){"hello", 5}, out, err);
}

static int liar_open(void *self, const ociw_descriptor *desc, uint64_t offset, const ociw_op *op,
		     ociw_reader **out, ociw_error **err)
{
	const struct liar *liar = self;

	(void)desc;
	(void)op;
	return ociw_reader_new_memory(
		(ociw_span){liar->serves + offset, strlen(liar->serves) - offset}, out, err);
}

static void liar_free(void *self)
{
	((struct liar *)self)->frees++;
}

static const ociwp_content_ops liar_ops = {
	.resolve = liar_resolve, .open = liar_open, .free = liar_free};

static ociw_content *content_of(struct liar *liar)
{
	ociw_content *content = NULL;

	cr_assert_eq(ociwp_content_new(&liar_ops, liar, "liar", &content, NULL), 0);
	return content;
}

static int read_it(struct liar *liar, uint64_t max, ociw_error **err)
{
	OCIWP_AUTO(content) ociw_content *content = content_of(liar);
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(mem) void *bytes = NULL;
	size_t len;

	cr_assert_eq(ociw_content_resolve(content, NULL, NULL, &desc, NULL), 0);
	return ociw_content_read(content, desc, max, NULL, &bytes, &len, err);
}

Test(content, right_bytes_are_read_whole)
{
	struct liar liar = {"hello", 0};

	cr_assert_eq(read_it(&liar, 100, NULL), 0);
	cr_assert_eq(liar.frees, 1);
}

Test(content, wrong_bytes_are_an_error_that_says_where)
{
	struct liar liar = {"hellO", 0};
	ociw_error *err = NULL;

	cr_assert_eq(read_it(&liar, 100, &err), OCIW_ERR_DIGEST);
	cr_assert_str_eq(ociw_error_frame(err, 0),
			 "liar: blob sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e7304336"
			 "2938b9824");
	ociw_error_free(err);
}

Test(content, too_many_bytes_are_a_size_error)
{
	struct liar liar = {"hello and more", 0};

	cr_assert_eq(read_it(&liar, 100, NULL), OCIW_ERR_SIZE);
}

Test(content, a_claim_over_the_cap_is_not_even_tried)
{
	struct liar liar = {"hello", 0};

	cr_assert_eq(read_it(&liar, 4, NULL), OCIW_ERR_LIMIT);
}

Test(content, what_an_end_cannot_do_has_a_name)
{
	struct liar liar = {"", 0};
	OCIWP_AUTO(content) ociw_content *content = content_of(&liar);
	ociw_error *err = NULL;
	bool done = true;

	cr_assert_eq(ociwp_content_remove(content, "x", false, NULL, &err), OCIW_ERR_UNSUPPORTED);
	cr_assert_str_eq(ociw_error_message(err), "liar cannot delete");
	ociw_error_free(err);
	cr_assert_eq(ociwp_content_mount(content, NULL, content, NULL, &done, NULL), 0);
	cr_assert_not(done);
}

Test(content, a_back_end_is_known_by_its_table_alone)
{
	struct liar liar = {"", 0};
	OCIWP_AUTO(content) ociw_content *content = content_of(&liar);
	const ociwp_content_ops other = {0};

	cr_assert_eq(ociwp_content_self(content, &liar_ops), &liar);
	cr_assert_null(ociwp_content_self(content, &other));
}
