/* SPDX-License-Identifier: Apache-2.0
 *
 * certs.d folders and the proxy rule (TLS-3, TLS-4).
 */
#include "registry/tls.h"
#include "rig.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* How many entries a listing still gives before it fails; negative: it does not. The linker puts this in the
 * place of readdir(), which is called readdir64 where files may be large. */
static int entries_left = -1;

struct dirent *__real_readdir64(DIR *dir);
struct dirent *__wrap_readdir64(DIR *dir);
struct dirent *__wrap_readdir64(DIR *dir)
{
	if (entries_left < 0 || entries_left-- > 0)
		return __real_readdir64(dir);
	entries_left = 0;
	errno = EIO;
	return NULL;
}

static void touch(const char *dir, const char *name)
{
	char path[300];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *file = fopen(path, "w");
	cr_assert_not_null(file);
	fclose(file);
}

static void remove_all(const char *dir)
{
	char command[300];
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

/* A certs.d folder with one host in it. */
static void make(char root[64], char host[128], const char *name)
{
	strcpy(root, "/tmp/ociw-certs-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
	snprintf(host, 128, "%s/%s", root, name);
	cr_assert_eq(mkdir(host, 0700), 0);
}

Test(tls, certificates_of_a_host_are_found_by_name_and_port)
{
	char root[64], dir[128];
	ociw_client *client = NULL;
	ociwp_host *host = NULL, *other = NULL;
	make(root, dir, "a.io:5000");
	touch(dir, "b.crt");
	touch(dir, "a.crt");
	touch(dir, "x.cert");
	touch(dir, "x.key");
	touch(dir, "README");
	cr_assert_eq(ociw_client_new(&client, NULL), 0);
	cr_assert_eq(ociw_client_add_certs_dir(client, "/nowhere/at/all", NULL), 0);
	cr_assert_eq(ociw_client_add_certs_dir(client, root, NULL), 0);
	cr_assert_eq(ociwp_client_host(client, "a.io:5000", NULL, &host, NULL), 0);
	cr_assert_not_null(strstr(host->ca_file, "/a.io:5000/a.crt"));
	cr_assert_not_null(strstr(host->cert_file, "/x.cert"));
	cr_assert_not_null(strstr(host->key_file, "/x.key"));
	cr_assert_eq(ociwp_client_host(client, "a.io", NULL, &other, NULL), 0);
	cr_assert_null(other->ca_file);
	ociwp_tls tls = ociwp_tls_of(host, false);
	cr_assert_eq(tls.ca_file, host->ca_file);
	ociw_client_free(client);
	remove_all(root);
}

Test(tls, half_a_pair_is_an_error)
{
	static const char *const halves[] = {"x.cert", "x.key"};
	for (size_t i = 0; i < 2; i++) {
		char root[64], dir[128];
		ociw_client *client = NULL;
		ociwp_host *host = NULL;
		ociw_error *err = NULL;
		make(root, dir, "a.io");
		touch(dir, halves[i]);
		cr_assert_eq(ociw_client_new(&client, NULL), 0);
		cr_assert_eq(ociw_client_add_certs_dir(client, root, NULL), 0);
		rig_expect(ociwp_client_host(client, "a.io", NULL, &host, &err), OCIW_ERR_INVALID,
		           &err, "has no");
		ociw_client_free(client);
		remove_all(root);
	}
}

Test(tls, a_listing_that_breaks_off_is_no_shorter_one_TLS_3)
{
	char root[64], dir[128];
	ociw_client *client = NULL;
	ociwp_host *host = NULL;
	ociw_error *err = NULL;
	make(root, dir, "a.io");
	touch(dir, "a.crt");
	cr_assert_eq(ociw_client_new(&client, NULL), 0);
	cr_assert_eq(ociw_client_add_certs_dir(client, root, NULL), 0);
	for (int i = 0; i <= 3; i++) { /* with "." and "..", and where it ends */
		entries_left = i;
		rig_expect(ociwp_client_host(client, "a.io", NULL, &host, &err), OCIW_ERR_IO, &err,
		           "/a.io\": Input/output error");
	}
	entries_left = -1;
	rig_ok(ociwp_client_host(client, "a.io", NULL, &host, &err), &err);
	cr_assert_not_null(host->ca_file);
	ociw_client_free(client);
	remove_all(root);
}

Test(tls, the_clients_own_certificate_is_shown_to_the_registry_alone)
{
	ociw_client *client = NULL;
	ociwp_host *host = NULL;
	cr_assert_eq(ociw_client_new(&client, NULL), 0);
	cr_assert_eq(ociw_client_set_certificate(client, "c.pem", "k.pem", NULL), 0);
	cr_assert_eq(ociw_client_set_ca_file(client, "ca.pem", NULL), 0);
	cr_assert_eq(ociwp_client_host(client, "a.io", NULL, &host, NULL), 0);
	cr_assert_str_eq(ociwp_tls_of(host, true).cert_file, "c.pem");
	cr_assert_null(ociwp_tls_of(host, false).cert_file);
	cr_assert_str_eq(ociwp_tls_of(host, false).ca_file, "ca.pem");
	ociw_client_free(client);
}

static const struct {
	const char *host, *port, *no_proxy;
	bool direct;
} rows[] = {
        {"localhost", "5000", NULL, true},
        {"127.0.0.1", "80", NULL, true},
        {"::1", "80", NULL, true},
        {"a.io", "443", NULL, false},
        {"a.io", "443", "a.io", false}, /* libcurl knows this form itself */
        {"a.io", "5000", "b.io, a.io:5000", true},
        {"x.a.io", "5000", "a.io:5000", true},
        {"x.a.io", "5000", ".a.io:5000", true},
        {"xa.io", "5000", "a.io:5000", false},
        {"a.io", "5001", "a.io:5000", false},
        {"fd00::1", "5000", "[fd00::1]:5000", true},
        {"a.io", "5000", ":5000", false},
};

Test(tls, no_proxy_knows_ports)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++)
		cr_assert_eq(ociwp_tls_no_proxy(rows[i].host, rows[i].port, rows[i].no_proxy),
		             rows[i].direct, "row %zu", i);
}
