/* SPDX-License-Identifier: Apache-2.0
 *
 * A wasi:http component without a C library: the imports are spelled out as the canonical ABI
 * lowers them, and every request gets the same answer.
 */
typedef int handle;
typedef unsigned char byte;

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define HTTP "wasi:http/types@0.2.12"
#define STREAMS "wasi:io/streams@0.2.12"

IMPORT(HTTP, "[constructor]fields") handle fields_new(void);
IMPORT(HTTP, "[constructor]outgoing-response") handle response_new(handle headers);
IMPORT(HTTP, "[method]outgoing-response.body") void response_body(handle response, void *result);
IMPORT(HTTP, "[method]outgoing-body.write") void body_write(handle body, void *result);
IMPORT(HTTP, "[static]outgoing-body.finish")
void body_finish(handle body, int has_trailers, handle trailers, void *result);
IMPORT(HTTP, "[static]response-outparam.set")
void outparam_set(handle out, int is_error, int response_or_error, int e1, long long e2, int e3,
		  int e4, int e5, int e6);
IMPORT(HTTP, "[resource-drop]incoming-request") void request_drop(handle request);
IMPORT(STREAMS, "[method]output-stream.blocking-write-and-flush")
void stream_write(handle stream, const byte *data, unsigned length, void *result);
IMPORT(STREAMS, "[resource-drop]output-stream") void stream_drop(handle stream);

static const byte greeting[] = "hello from a component\n";

/* A result with a handle in its ok case: the tag in the first byte, the handle in the next word. */
struct handle_result {
	byte is_error;
	handle value;
};

__attribute__((export_name("wasi:http/incoming-handler@0.2.12#handle")))
void handle_request(handle request, handle out)
{
	struct handle_result body, stream;
	long long ignored[8];
	handle response = response_new(fields_new());

	request_drop(request);
	response_body(response, &body);
	outparam_set(out, 0, response, 0, 0, 0, 0, 0, 0);
	if (body.is_error)
		return;
	body_write(body.value, &stream);
	if (!stream.is_error) {
		stream_write(stream.value, greeting, sizeof(greeting) - 1, ignored);
		stream_drop(stream.value);
	}
	body_finish(body.value, 0, 0, ignored);
}

static byte heap[1024];
static unsigned heap_used;

/* The host asks for memory only to pass strings in, which this component never receives. */
__attribute__((export_name("cabi_realloc")))
void *cabi_realloc(void *old, unsigned old_size, unsigned align, unsigned size)
{
	unsigned start = (heap_used + align - 1) & ~(align - 1);
	(void)old;
	(void)old_size;
	if (start > sizeof(heap) || size > sizeof(heap) - start)
		__builtin_trap();
	heap_used = start + size;
	return heap + start;
}
