/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree for people: shape, sizes, and nothing that a terminal would obey.
 */
#include "base/buf.h"
#include "ops/inspect-model.h"
#include <criterion/criterion.h>
#include <string.h>

static void draw(const char *json, ociwp_buf *out)
{
	OCIWP_AUTO(json) json_t *root = json_loads(json, 0, NULL);
	cr_assert_not_null(root, "%s", json);
	cr_assert_eq(ociwp_inspect_text(root, out, NULL), 0);
}

static void expect(const char *json, const char *text)
{
	OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
	draw(json, &out);
	cr_expect_str_eq(out.data, text, "%s", out.data);
}

Test(inspect_text, draws_a_spin_image)
{
	expect("{\"format\":\"spin\",\"digest\":\"sha256:0123456789abcdef\",\"platform\":{\"os\":"
	       "\"wasip1\",\"architecture\":\"wasm\"},\"app\":{\"name\":\"shop\",\"version\":\"1\","
	       "\"description\":\"Tiny\",\"authors\":[\"Ana\",\"Bo\"],\"triggers\":[{\"type\":\"http\","
	       "\"address\":\"/...\",\"component\":\"c\"},{\"type\":\"cron\"}],\"components\":[{\"id\":"
	       "\"c\",\"description\":\"API\",\"source\":{\"digest\":\"sha256:0123456789abcdef\",\"size\":"
	       "2048},\"allowedOutboundHosts\":[\"a\",\"b\"],\"environment\":{\"A\":\"1\"},"
	       "\"variables\":{\"v\":\"{{ x }}\"},\"dependencies\":[{\"name\":\"d\",\"digest\":"
	       "\"sha256:0123456789abcdef\"}],\"files\":[{\"path\":\"a\",\"size\":5},{\"path\":"
	       "\"b\"}],\"fileCount\":2,\"fileBytes\":5}],\"variables\":[{\"name\":\"x\",\"default\":"
	       "\"1\",\"required\":false,\"secret\":false},{\"name\":\"t\",\"required\":true,"
	       "\"secret\":true}]},\"warnings\":[\"w\"]}",
	       "spin sha256:0123456789abcdef  wasip1/wasm\n"
	       "├─ app shop 1: Tiny\n"
	       "│  ├─ authors: Ana, Bo\n"
	       "│  ├─ trigger http /... -> c\n"
	       "│  ├─ trigger cron\n"
	       "│  ├─ component c: API\n"
	       "│  │  ├─ wasm sha256:0123456789ab  2.0 KiB\n"
	       "│  │  ├─ outbound hosts: a, b\n"
	       "│  │  ├─ environment A=1\n"
	       "│  │  ├─ variable v={{ x }}\n"
	       "│  │  ├─ dependency d  sha256:0123456789ab\n"
	       "│  │  └─ files: 2  5 B\n"
	       "│  │     ├─ a  5 B\n"
	       "│  │     └─ b\n"
	       "│  ├─ variable x=1\n"
	       "│  └─ variable t (required) (secret)\n"
	       "└─ warning: w\n");
}

Test(inspect_text, draws_an_artifact)
{
	expect("{\"format\":\"wasm\",\"digest\":\"d\",\"artifactType\":\"a/t\",\"wasm\":{\"kind\":"
	       "\"component\",\"exports\":[\"run\"],\"imports\":[\"x\",\"y\"]},\"config\":{\"digest\":\"c\","
	       "\"size\":1,\"mediaType\":\"m\",\"entrypoint\":[\"/a\",\"b\"],\"labels\":{\"k\":\"v\"}},"
	       "\"layers\":[{\"kind\":\"wasm\",\"digest\":\"l\",\"size\":1023,\"mediaType\":\"m\","
	       "\"annotations\":{\"org.opencontainers.image.title\":\"t\"}}],\"totalSize\":1024,"
	       "\"annotations\":{\"k\":\"v\"},\"subject\":{\"digest\":\"s\"}}",
	       "wasm d\n"
	       "├─ artifact type: a/t\n"
	       "├─ component\n"
	       "│  ├─ exports\n"
	       "│  │  └─ run\n"
	       "│  └─ imports\n"
	       "│     ├─ x\n"
	       "│     └─ y\n"
	       "├─ config c  1 B  m\n"
	       "│  ├─ entrypoint: /a, b\n"
	       "│  └─ label k=v\n"
	       "├─ layers: 1  1.0 KiB\n"
	       "│  └─ wasm   l  1023 B  m  t\n"
	       "├─ annotation k=v\n"
	       "└─ subject: s\n");
}

Test(inspect_text, draws_an_index)
{
	expect("{\"format\":\"index\",\"digest\":\"d\",\"manifests\":[{\"digest\":\"a\",\"size\":1,"
	       "\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\"}},"
	       "{\"digest\":\"b\",\"size\":2,\"artifactType\":\"t\"}]}",
	       "index d\n"
	       "└─ manifests: 2\n"
	       "   ├─ linux/arm/v7  a  1 B\n"
	       "   └─ no platform  b  2 B  t\n");
}

Test(inspect_text, sizes_have_one_decimal)
{
	static const struct {
		const char *size, *text;
	} rows[] = {
		{"0", "0 B"},
		{"1023", "1023 B"},
		{"1024", "1.0 KiB"},
		{"1535", "1.4 KiB"},
		{"1048575", "1023.9 KiB"},
		{"1048576", "1.0 MiB"},
		{"9223372036854775807", "7.9 EiB"},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		OCIWP_AUTO(buf) ociwp_buf json = OCIWP_BUF_INIT;
		OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
		ociwp_buf_printf(&json, "{\"layers\":[],\"totalSize\":%s}", rows[i].size);
		draw(json.data, &out);
		cr_expect(strstr(out.data, rows[i].text), "%s: %s", rows[i].size, out.data);
	}
}

Test(inspect_text, what_a_terminal_would_obey_is_escaped)
{
	OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
	draw("{\"format\":\"spin\",\"digest\":\"d\",\"artifactType\":\"\\u001b[2J\",\"app\":{\"name\":"
	     "\"a\\nb\",\"components\":[{\"id\":\"c\\u009b\",\"files\":[{\"path\":\"\\r\\u0007\"}]}]},"
	     "\"annotations\":{\"\\u001b]0;x\":\"\\u007f\"},\"warnings\":[\"\\u001b\"]}",
	     &out);
	for (size_t i = 0; i < out.len; i++)
		cr_expect(out.data[i] == '\n' || (unsigned char)out.data[i] >= 0x20, "%s", out.data);
	cr_expect_null(strchr(out.data, 0x7f));
	cr_expect(strstr(out.data, "app a\\x0ab"), "%s", out.data);
}

Test(inspect_text, long_texts_and_lists_are_cut)
{
	OCIWP_AUTO(buf) ociwp_buf json = OCIWP_BUF_INIT;
	OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
	ociwp_buf_puts(&json, "{\"annotations\":{\"k\":\"");
	for (int i = 0; i < 150; i++)
		ociwp_buf_puts(&json, "\xc3\xa9");
	ociwp_buf_puts(&json, "\"},\"layers\":[");
	for (int i = 0; i < 250; i++)
		ociwp_buf_printf(&json, "%s{\"digest\":\"%d\"}", i ? "," : "", i);
	ociwp_buf_puts(&json, "]}");
	draw(json.data, &out);
	cr_expect(strstr(out.data, "\xc3\xa9...\n"), "%s", out.data);
	cr_expect(strstr(out.data, "and 150 more (all with --json)"), "%s", out.data);
}
