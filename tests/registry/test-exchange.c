/* SPDX-License-Identifier: Apache-2.0
 *
 * One request and its answer: headers, bodies both ways, limits, faults (HTTP-9, HTTP-10, PUL-7).
 */
#include "rig.h"

static ociwp_transport *transport_new(uint64_t stall_ms)
{
	ociwp_transport *transport = NULL;
	ociwp_transport_options options = {.stall_ms = stall_ms, .connect_ms = stall_ms};
	cr_assert_eq(ociwp_transport_new(&options, &transport, NULL), 0);
	return transport;
}

typedef struct one {
	fake_registry *fake;
	ociwp_transport *transport;
	ociwp_exchange *x;
	ociwp_failure failure;
	ociw_error *err;
	char url[96];
} one;

static int begin(one *o, const fake_rule *rules, size_t count, ociwp_http http)
{
	o->fake = fake_start(rules, count);
	o->transport = transport_new(1500);
	snprintf(o->url, sizeof(o->url), "http://%s/x", fake_address(o->fake));
	http.url = o->url;
	http.user_agent = "test/1";
	http.direct = true;
	if (!http.method)
		http.method = "GET";
	if (!http.body)
		http.body_size = http.body_size ? http.body_size : OCIWP_BODY_NONE;
	return ociwp_exchange_begin(o->transport, &http, NULL, &o->x, &o->failure, &o->err);
}

static void end(one *o)
{
	ociwp_exchange_close(o->x);
	ociwp_transport_free(o->transport);
	fake_stop(o->fake);
	ociw_error_free(o->err);
}

/* Reads all; the count or a code. */
static ptrdiff_t drain(one *o)
{
	char chunk[7777];
	ptrdiff_t total = 0, n;
	while ((n = ociwp_exchange_read(o->x, chunk, sizeof(chunk), NULL, &o->failure, &o->err)) >
	       0)
		total += n;
	return n < 0 ? n : total;
}

Test(exchange, headers_are_found_in_any_case_and_in_order)
{
	one o = {0};
	cr_assert_eq(begin(&o,
	                   RULES({.match = "GET /x",
	                          .answer = {.status = 203,
	                                     .headers = "X-One: 1\nlink: a\nLINK:  b\nEmpty:\n"}}),
	                   (ociwp_http){0}),
	             0);
	cr_assert_eq(ociwp_exchange_status(o.x), 203);
	cr_assert_str_eq(ociwp_exchange_header(o.x, "x-one", 0), "1");
	cr_assert_str_eq(ociwp_exchange_header(o.x, "Link", 0), "a");
	cr_assert_str_eq(ociwp_exchange_header(o.x, "Link", 1), "b");
	cr_assert_null(ociwp_exchange_header(o.x, "Link", 2));
	cr_assert_str_eq(ociwp_exchange_header(o.x, "Empty", 0), "");
	cr_assert_null(ociwp_exchange_header(o.x, "X-On", 0));
	end(&o);
}

Test(exchange, nothing_is_sent_that_was_not_asked_for)
{
	one o = {0};
	ociwp_http http = {0};
	ociwp_http_header(&http, "Accept", "a/b");
	ociwp_http_header(&http, "Authorization", NULL);
	cr_assert_eq(begin(&o, RULES({.match = "GET /x", .answer = {.status = 200}}), http), 0);
	const fake_request *request = fake_at(o.fake, 0);
	cr_assert_str_eq(fake_header(request, "User-Agent"), "test/1");
	cr_assert_str_eq(fake_header(request, "Accept"), "a/b");
	cr_assert_null(fake_header(request, "Accept-Encoding"));
	cr_assert_null(fake_header(request, "Authorization"));
	cr_assert_null(fake_header(request, "Cookie"));
	end(&o);
}

Test(exchange, a_control_byte_in_a_header_is_refused)
{
	one o = {0};
	ociwp_http http = {0};
	ociwp_http_header(&http, "Authorization", "Bearer x\r\nEvil: 1");
	cr_assert_eq(begin(&o, RULES({.match = "GET", .answer = {.status = 200}}), http),
	             OCIW_ERR_UNSAFE);
	cr_assert_eq(fake_count(o.fake), 0);
	end(&o);
}

Test(exchange, an_encoded_body_stays_encoded)
{
	one o = {0};
	char text[8];
	cr_assert_eq(begin(&o,
	                   RULES({.match = "GET /x",
	                          .answer = {.status = 200,
	                                     .headers = "Content-Encoding: gzip\n",
	                                     .body = "\x1f\x8b\x08"}}),
	                   (ociwp_http){0}),
	             0);
	cr_assert_eq(ociwp_exchange_read(o.x, text, sizeof(text), NULL, &o.failure, NULL), 3);
	end(&o);
}

static char big[3 * 1024 * 1024 + 17];

Test(exchange, a_body_larger_than_the_ring_arrives_whole)
{
	one o = {0};
	cr_assert_eq(begin(&o,
	                   RULES({.match = "GET /x",
	                          .answer = {.status = 200, .body = big, .body_len = sizeof(big)}}),
	                   (ociwp_http){0}),
	             0);
	cr_assert_eq(drain(&o), (ptrdiff_t)sizeof(big));
	end(&o);
}

Test(exchange, chunked_bodies_and_single_bytes_arrive_whole)
{
	one o = {0}, p = {0};
	cr_assert_eq(begin(&o,
	                   RULES({.match = "GET /x",
	                          .answer = {.status = 200,
	                                     .body = big,
	                                     .body_len = 100000,
	                                     .fault = FAKE_CHUNKED}}),
	                   (ociwp_http){0}),
	             0);
	cr_assert_eq(drain(&o), 100000);
	end(&o);
	cr_assert_eq(begin(&p,
	                   RULES({.match = "GET /x",
	                          .answer = {.status = 200,
	                                     .body = big,
	                                     .body_len = 50,
	                                     .fault = FAKE_DRIP}}),
	                   (ociwp_http){0}),
	             0);
	cr_assert_eq(drain(&p), 50);
	end(&p);
}

Test(exchange, an_upload_arrives_whole)
{
	one o = {0};
	ociw_reader *body = NULL;
	cr_assert_eq(ociw_reader_new_memory((ociw_span){big, sizeof(big)}, &body, NULL), 0);
	ociwp_http http = {.method = "PUT", .body = body, .body_size = sizeof(big)};
	cr_assert_eq(begin(&o, RULES({.match = "PUT /x$", .answer = {.status = 201}}), http), 0);
	const fake_request *request = fake_at(o.fake, 0);
	cr_assert_eq(request->body_len, sizeof(big));
	cr_assert_str_eq(fake_header(request, "Content-Length"), "3145745");
	cr_assert_null(fake_header(request, "Expect"));
	cr_assert_null(fake_header(request, "Transfer-Encoding"));
	ociw_reader_close(body, NULL);
	end(&o);
}

Test(exchange, an_upload_of_unknown_length_is_chunked)
{
	one o = {0};
	ociw_reader *body = NULL;
	cr_assert_eq(ociw_reader_new_memory((ociw_span){big, 300000}, &body, NULL), 0);
	ociwp_http http = {.method = "PATCH", .body = body, .body_size = OCIWP_BODY_UNKNOWN};
	cr_assert_eq(begin(&o, RULES({.match = "PATCH /x$", .answer = {.status = 202}}), http), 0);
	cr_assert_eq(fake_at(o.fake, 0)->body_len, 300000);
	cr_assert_str_eq(fake_header(fake_at(o.fake, 0), "Transfer-Encoding"), "chunked");
	ociw_reader_close(body, NULL);
	end(&o);
}

Test(exchange, an_empty_body_has_a_length)
{
	one o = {0};
	o.fake = fake_start(RULES({.match = "POST /x$", .answer = {.status = 202}}));
	o.transport = transport_new(1500);
	snprintf(o.url, sizeof(o.url), "http://%s/x", fake_address(o.fake));
	ociwp_http http = {
	        .method = "POST", .url = o.url, .user_agent = "t", .direct = true, .body_size = 0};
	cr_assert_eq(ociwp_exchange_begin(o.transport, &http, NULL, &o.x, &o.failure, NULL), 0);
	cr_assert_str_eq(fake_header(fake_at(o.fake, 0), "Content-Length"), "0");
	end(&o);
}

Test(exchange, a_source_that_ends_early_is_an_error_of_ours)
{
	one o = {0};
	ociw_reader *body = NULL;
	cr_assert_eq(ociw_reader_new_memory((ociw_span){big, 10}, &body, NULL), 0);
	ociwp_http http = {.method = "PUT", .body = body, .body_size = 1000};
	cr_assert_eq(begin(&o, RULES({.match = "PUT", .answer = {.status = 201}}), http),
	             OCIW_ERR_SIZE);
	cr_assert_eq(o.failure, OCIWP_FAILURE_LOCAL);
	ociw_reader_close(body, NULL);
	end(&o);
}

Test(exchange, an_early_answer_ends_the_upload)
{
	one o = {0};
	ociw_reader *body = NULL;
	cr_assert_eq(ociw_reader_new_memory((ociw_span){big, sizeof(big)}, &body, NULL), 0);
	ociwp_http http = {.method = "PUT", .body = body, .body_size = sizeof(big)};
	int r = begin(&o, RULES({.match = "PUT", .answer = {.status = 413, .fault = FAKE_EARLY}}),
	              http);
	/* The server hangs up: the answer is seen, or the connection is lost. Both are fine;
	 * waiting for ever is not. */
	cr_assert(r == 0 ? ociwp_exchange_status(o.x) == 413 : o.failure == OCIWP_FAILURE_LOST);
	ociw_reader_close(body, NULL);
	end(&o);
}

typedef struct fault_row {
	fake_answer answer;
	int begin_code;
	ociwp_failure failure;
} fault_row;

static const fault_row faults[] = {
        {{.status = 200, .body = big, .body_len = 1000, .fault = FAKE_TRUNCATE, .at = 10},
         0,
         OCIWP_FAILURE_LOST},
        {{.status = 200, .body = big, .body_len = 100000, .fault = FAKE_RESET, .at = 10000},
         0,
         OCIWP_FAILURE_LOST},
        {{.status = 200, .body = big, .body_len = 1000, .fault = FAKE_STALL, .at = 10},
         0,
         OCIWP_FAILURE_LOST},
        {{.fault = FAKE_HANG_UP}, OCIW_ERR_NETWORK, OCIWP_FAILURE_LOST},
        {{.fault = FAKE_GARBAGE, .body = "SSH-2.0-x\r\n"},
         OCIW_ERR_NETWORK,
         OCIWP_FAILURE_PROTOCOL},
};

Test(exchange, faults_are_told_apart)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(faults); i++) {
		one o = {0};
		fake_rule rule = {.match = "GET", .answer = faults[i].answer};
		int r = begin(&o, &rule, 1, (ociwp_http){0});
		cr_assert_eq(r, faults[i].begin_code, "row %zu: %d", i, r);
		if (r == 0)
			cr_assert_eq(drain(&o), OCIW_ERR_NETWORK, "row %zu", i);
		cr_assert_eq(o.failure, faults[i].failure, "row %zu: %d", i, o.failure);
		end(&o);
	}
}

Test(exchange, a_length_that_is_too_small_cuts_the_body)
{
	one o = {0};
	cr_assert_eq(begin(&o,
	                   RULES({.match = "GET",
	                          .answer = {.status = 200,
	                                     .headers = "Content-Length: 3\n",
	                                     .body = "abcdef"}}),
	                   (ociwp_http){0}),
	             0);
	cr_assert_eq(drain(&o), 3);
	end(&o);
}

Test(exchange, headers_without_end_are_cut_off)
{
	one o = {0};
	static char headers[200 * 1024];
	for (size_t i = 0; i + 64 < sizeof(headers); i += 64)
		memcpy(headers + i,
		       "X-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", 64);
	fake_rule rule = {.match = "GET", .answer = {.status = 200, .headers = headers}};
	cr_assert_eq(begin(&o, &rule, 1, (ociwp_http){0}), OCIW_ERR_LIMIT);
	cr_assert_eq(o.failure, OCIWP_FAILURE_PROTOCOL);
	end(&o);
}

Test(exchange, a_dead_server_is_a_connect_failure)
{
	one o = {0};
	o.fake = fake_start(NULL, 0);
	snprintf(o.url, sizeof(o.url), "http://%s/x", fake_address(o.fake));
	fake_stop(o.fake);
	o.fake = NULL;
	o.transport = transport_new(1500);
	ociwp_http http = {.method = "GET",
	                   .url = o.url,
	                   .user_agent = "t",
	                   .direct = true,
	                   .body_size = OCIWP_BODY_NONE};
	cr_assert_eq(ociwp_exchange_begin(o.transport, &http, NULL, &o.x, &o.failure, NULL),
	             OCIW_ERR_NETWORK);
	cr_assert_eq(o.failure, OCIWP_FAILURE_CONNECT);
	end(&o);
}

Test(exchange, cancelling_ends_the_wait)
{
	one o = {0};
	ociw_cancel *cancel = ociw_cancel_new();
	ociw_op op = {.size = sizeof(op), .cancel = cancel};
	char text[8];
	cr_assert_eq(begin(&o,
	                   RULES({.match = "GET",
	                          .answer = {.status = 200,
	                                     .body = big,
	                                     .body_len = 1000,
	                                     .fault = FAKE_STALL}}),
	                   (ociwp_http){0}),
	             0);
	ociw_cancel_trigger(cancel);
	cr_assert_eq(ociwp_exchange_read(o.x, text, sizeof(text), &op, &o.failure, NULL),
	             OCIW_ERR_CANCELLED);
	end(&o);
	ociw_cancel_free(cancel);
}
