/* SPDX-License-Identifier: Apache-2.0 */
#include "spin/lock.h"

#include <criterion/criterion.h>
#include <string.h>

Test(lock, parts_are_freed_whole)
{
	ociwp_lock *lock = ociwp_new(ociwp_lock);
	lock->components = ociwp_calloc(1, sizeof(*lock->components));
	lock->component_count = 1;
	ociwp_lock_component *c = lock->components;
	c->id = ociwp_strdup("a");
	c->files = ociwp_calloc(1, sizeof(*c->files));
	c->file_count = 1;
	c->files[0].path = ociwp_strdup("p");
	c->files[0].content.bytes = ociwp_strdup("b");
	c->dependencies = ociwp_calloc(1, sizeof(*c->dependencies));
	c->dependency_count = 1;
	c->dependencies[0].name = ociwp_strdup("d");
	c->metadata = json_object();
	ociwp_lock_free(lock);
	ociwp_lock_free(NULL);
}

Test(lock, a_component_can_be_emptied)
{
	ociwp_lock_component c = {.id = ociwp_strdup("a")};
	ociwp_lock_component_deinit(&c);
	cr_assert_null(c.id);
	ociwp_lock_files_free(NULL, 0);
}
