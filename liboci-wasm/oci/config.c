/* SPDX-License-Identifier: Apache-2.0
 *
 * Image configs as far as they are used: platform, diff_ids, command, labels. Configs of other types
 * have none of these and give empty values. image-spec config.md; CFG-1, CFG-2, CFG-5.
 */
#include "base/str.h"
#include "oci/document.h"
#include "oci/manifest.h"

static void free_strings(char **strings)
{
	for (size_t i = 0; strings && strings[i]; i++)
		free(strings[i]);
	free(strings);
}

void ociwp_config_free(ociwp_config *config)
{
	if (!config)
		return;
	free(config->architecture);
	free(config->os);
	free(config->variant);
	free_strings(config->diff_ids);
	free_strings(config->entrypoint);
	free_strings(config->cmd);
	free_strings(config->env);
	free(config->working_dir);
	ociwp_annotations_deinit(&config->labels);
	free(config);
}

/* A member that may be absent, as a copy; NULL then, or "" with @p or_empty. */
static int parse_text(const json_t *object, const char *path, const char *name, bool or_empty,
		      char **out, ociw_error **err)
{
	const char *text = or_empty ? "" : NULL;
	int r = ociwp_json_opt_string(object, path, name, &text, err);

	if (r < 0 || !text)
		return r;
	*out = ociwp_strdup(text);
	return *out ? 0 : ociwp_nomem(err);
}

/* NULL-terminated, or NULL when absent. */
static int parse_strings(const json_t *object, const char *path, const char *name, char ***out,
			 ociw_error **err)
{
	json_t *array = NULL, *item;
	size_t i;
	int r = ociwp_json_opt_array(object, path, name, &array, err);

	if (r < 0 || !array)
		return r;
	*out = ociwp_calloc(json_array_size(array) + 1, sizeof(**out));
	if (!*out)
		return ociwp_nomem(err);
	json_array_foreach (array, i, item) {
		if (!json_is_string(item))
			return ociwp_fail(err, OCIW_ERR_FORMAT, "%s.%s[%zu] is not a string", path,
					  name, i);
		(*out)[i] = ociwp_strdup(json_string_value(item));
		if (!(*out)[i])
			return ociwp_nomem(err);
	}
	return 0;
}

static int check_env(char **env, ociw_error **err)
{
	for (size_t i = 0; env && env[i]; i++)
		if (env[i][0] == '=' || !strchr(env[i], '='))
			return ociwp_fail(err, OCIW_ERR_FORMAT, "config.Env[%zu] is no NAME=value",
					  i);
	return 0;
}

static int parse_process(const json_t *document, ociwp_config *config, ociw_error **err)
{
	json_t *object = NULL;
	int r = ociwp_json_opt_object(document, NULL, "config", &object, err);

	if (r < 0 || !object)
		return r;
	r = parse_strings(object, "config", "Entrypoint", &config->entrypoint, err);
	if (r == 0)
		r = parse_strings(object, "config", "Cmd", &config->cmd, err);
	if (r == 0)
		r = parse_strings(object, "config", "Env", &config->env, err);
	if (r == 0)
		r = check_env(config->env, err);
	if (r == 0)
		r = parse_text(object, "config", "WorkingDir", false, &config->working_dir, err);
	if (r == 0)
		r = ociwp_annotations_parse(json_object_get(object, "Labels"), "config.Labels",
					    &config->labels, err);
	return r;
}

static int check_diff_ids(ociwp_config *config, uint64_t max, ociw_error **err)
{
	while (config->diff_ids && config->diff_ids[config->diff_id_count]) {
		size_t i = config->diff_id_count++;
		if (!ociw_digest_is_valid(config->diff_ids[i]))
			return ociwp_fail(err, OCIW_ERR_FORMAT, "rootfs.diff_ids[%zu] is no digest",
					  i);
	}
	if (config->diff_id_count > max)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "%zu diff_ids, the limit is %llu",
				  config->diff_id_count, (unsigned long long)max);
	return 0;
}

static int parse_rootfs(const json_t *document, uint64_t max, ociwp_config *config,
			ociw_error **err)
{
	json_t *rootfs = NULL;
	const char *type = "layers";
	int r = ociwp_json_opt_object(document, NULL, "rootfs", &rootfs, err);

	if (r < 0 || !rootfs)
		return r;
	r = ociwp_json_opt_string(rootfs, "rootfs", "type", &type, err);
	if (r < 0)
		return r;
	if (!ociwp_streq(type, "layers"))
		return ociwp_fail(err, OCIW_ERR_FORMAT, "rootfs.type is %s, must be \"layers\"",
				  ociwp_quote(type));
	r = parse_strings(rootfs, "rootfs", "diff_ids", &config->diff_ids, err);
	return r < 0 ? r : check_diff_ids(config, max, err);
}

int ociwp_config_parse(ociw_span bytes, const ociw_op *op, ociwp_config **out, ociw_error **err)
{
	OCIWP_AUTO(json) json_t *document = NULL;
	OCIWP_AUTO(config) ociwp_config *config = NULL;
	ociw_limits limits;

	ociwp_limits_get(op, &limits);
	int r = ociwp_document_parse(bytes, "image config", op, &document, err);
	if (r < 0)
		return r;
	config = ociwp_new(ociwp_config);
	if (!config)
		return ociwp_nomem(err);
	r = parse_text(document, NULL, "architecture", true, &config->architecture, err);
	if (r == 0)
		r = parse_text(document, NULL, "os", true, &config->os, err);
	if (r == 0)
		r = parse_text(document, NULL, "variant", true, &config->variant, err);
	if (r == 0)
		r = parse_process(document, config, err);
	if (r == 0)
		r = parse_rootfs(document, limits.max_layers, config, err);
	if (r < 0)
		return ociwp_wrap(err, r, "image config");
	*out = ociwp_steal(&config);
	return 0;
}
