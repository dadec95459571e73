/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes credentials over from the program's callback. Where they come from is not known here: files
 * and helpers are the tool's affair (CRD-1..8). AUT-13.
 */
#include "registry/credential.h"

#include "base/buf.h"
#include "base/str.h"
#include "registry/request.h"

void ociwp_credential_deinit(ociwp_credential *credential)
{
	ociwp_secret_free(credential->username);
	ociwp_secret_free(credential->password);
	ociwp_secret_free(credential->identity_token);
	ociwp_secret_free(credential->registry_token);
	free(credential->source);
	*credential = (ociwp_credential){0};
}

static bool copy(char **to, const char *from)
{
	if (!from || !*from)
		return true;
	*to = ociwp_strdup(from);
	return *to != NULL;
}

int ociw_credential_answer(ociw_credential_request *request, const ociw_credential *give)
{
	ociw_credential own;
	int r = ociwp_options_read(&own, sizeof(own), give, NULL);
	if (r < 0)
		return r;
	ociwp_credential *to = &request->answer;
	ociwp_credential_deinit(to);
	if (copy(&to->username, own.username) && copy(&to->password, own.password) &&
	    copy(&to->identity_token, own.identity_token) &&
	    copy(&to->registry_token, own.registry_token) && copy(&to->source, own.source))
		return 0;
	ociwp_credential_deinit(to);
	return OCIW_ERR_NOMEM;
}

const char *ociw_credential_request_repository(const ociw_credential_request *request)
{
	return request->repository;
}

int ociwp_credential_ask(ociwp_host *host, const char *repository, bool rejected,
                         ociwp_credential *out, ociw_error **err)
{
	const ociw_client *client = host->client;
	ociwp_credential_deinit(out);
	if (!client->credentials)
		return 0;
	struct ociw_credential_request request = {.repository = repository};
	int r = client->credentials(host->name, rejected, &request, client->credentials_data, err);
	if (r <= 0) {
		ociwp_credential_deinit(&request.answer);
		return r < 0 ? ociwp_wrap(err, r, "credentials of %s", host->name) : 0;
	}
	*out = request.answer;
	if (!out->source)
		out->source = ociwp_strdup("the program");
	if (!out->source)
		return ociwp_nomem(err);
	return ociwp_credential_has_password(out) || out->identity_token || out->registry_token;
}

char *ociwp_credential_basic(const ociwp_credential *credential)
{
	size_t plain_len = strlen(credential->username) + 1 + strlen(credential->password);
	char *plain = ociwp_malloc(plain_len + 1);
	char *out = ociwp_malloc(6 + 4 * ((plain_len + 2) / 3) + 1);
	if (plain && out) {
		char *end = stpcpy(stpcpy(plain, credential->username), ":");
		strcpy(end, credential->password);
		memcpy(out, "Basic ", 6);
		size_t n = ociwp_base64_encode(out + 6, plain, plain_len, true);
		out[6 + n] = 0;
	} else {
		free(out);
		out = NULL;
	}
	if (plain)
		explicit_bzero(plain, plain_len);
	free(plain);
	return out;
}
