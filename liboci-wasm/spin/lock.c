/* SPDX-License-Identifier: Apache-2.0
 *
 * Ownership of the locked app. Reading is lock-read.c, writing lock-write.c; nothing here or there
 * needs TOML, so that the extractor for shims stays free of C++.
 */
#include "spin/lock.h"

static void ref_deinit(ociwp_lock_ref *ref)
{
	free(ref->source);
	free(ref->digest);
	free(ref->bytes);
}

void ociwp_lock_files_free(ociwp_lock_file *files, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		ref_deinit(&files[i].content);
		free(files[i].path);
	}
	free(files);
}

void ociwp_lock_dependency_deinit(ociwp_lock_dependency *dependency)
{
	free(dependency->name);
	free(dependency->content_type);
	ref_deinit(&dependency->content);
	free(dependency->export_name);
	json_decref(dependency->inherit);
	*dependency = (ociwp_lock_dependency){0};
}

void ociwp_lock_component_deinit(ociwp_lock_component *component)
{
	free(component->id);
	json_decref(component->metadata);
	free(component->content_type);
	ref_deinit(&component->source);
	json_decref(component->env);
	ociwp_lock_files_free(component->files, component->file_count);
	json_decref(component->config);
	for (size_t i = 0; i < component->dependency_count; i++)
		ociwp_lock_dependency_deinit(&component->dependencies[i]);
	free(component->dependencies);
	json_decref(component->trigger_dependencies);
	json_decref(component->host_requirements);
	*component = (ociwp_lock_component){0};
}

void ociwp_lock_free(ociwp_lock *lock)
{
	if (!lock)
		return;
	json_decref(lock->must_understand);
	json_decref(lock->metadata);
	json_decref(lock->host_requirements);
	json_decref(lock->variables);
	json_decref(lock->triggers);
	for (size_t i = 0; i < lock->component_count; i++)
		ociwp_lock_component_deinit(&lock->components[i]);
	free(lock->components);
	free(lock);
}
