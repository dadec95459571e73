/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of credentials: any bytes are refused or can be looked into, changed and written back.
 */
#include <oci-wasm/content.h>
#include <oci-wasm/docker-config.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ociw_docker_config *config = NULL, *again = NULL;
	ociw_credential found, give = {.size = sizeof(give), .username = "u", .password = "p:q"};
	char *text = NULL;
	if (ociw_docker_config_parse((ociw_span){data, size}, &config, NULL) < 0)
		return 0;
	const char *helper = ociw_docker_config_helper(config, "a.io", NULL);
	if (helper && strchr(helper, '/'))
		abort();
	(void)ociw_docker_config_helper(config, "docker.io", NULL);
	(void)!ociw_docker_config_find(config, "docker.io", "library/x", &found, NULL);
	(void)!ociw_docker_helper_answer(config, (ociw_span){data, size}, &found, NULL);
	if (ociw_docker_config_set(config, "a.io", &give, NULL) < 0 ||
	    ociw_docker_config_format(config, &text, NULL) < 0 ||
	    ociw_docker_config_parse((ociw_span){text, strlen(text)}, &again, NULL) < 0)
		abort();
	/* What was set is what is found, whatever else the file holds. */
	if (ociw_docker_config_find(again, "a.io", "", &found, NULL) != 1 ||
	    strcmp(found.username, "u") != 0 || strcmp(found.password, "p:q") != 0)
		abort();
	if (ociw_docker_config_remove(again, "a.io") != 1)
		abort();
	ociw_free(text);
	ociw_docker_config_free(config);
	ociw_docker_config_free(again);
	return 0;
}
