/* SPDX-License-Identifier: Apache-2.0 */
#include "apps.h"

Test(model, arrays_grow_by_doubling_and_are_zeroed)
{
	int *array = NULL;
	for (size_t i = 0; i < 100; i++) {
		array = ociwp_grow_array(array, i, sizeof(*array));
		cr_assert_not_null(array);
		cr_assert_eq(array[i], 0);
		array[i] = (int)i;
	}
	cr_assert_eq(array[57], 57);
	free(array);
}

Test(model, sources_are_copied_deeply)
{
	ociwp_app_source a = {.path = ociwp_strdup("p"), .digest = ociwp_strdup("d")}, b = {0};
	cr_assert_eq(ociwp_app_source_copy(&a, &b, NULL), 0);
	ociwp_app_source_deinit(&a);
	cr_assert_str_eq(b.path, "p");
	cr_assert_str_eq(b.digest, "d");
	cr_assert_null(b.url);
	ociwp_app_source_deinit(&b);
}

Test(model, components_are_found_by_id)
{
	ociwp_spin_manifest *manifest = ociwp_new(ociwp_spin_manifest);
	for (int i = 0; i < 3; i++) {
		ociwp_component *component = ociwp_new(ociwp_component);
		char id[] = {(char)('a' + i), '\0'};
		component->id = ociwp_strdup(id);
		cr_assert_eq(ociwp_spin_manifest_add(manifest, component, NULL), 0);
	}
	cr_assert_str_eq(ociwp_spin_manifest_find(manifest, "b")->id, "b");
	cr_assert_null(ociwp_spin_manifest_find(manifest, "z"));
	ociwp_spin_manifest_free(manifest);
}

Test(model, freeing_nothing_is_fine)
{
	ociwp_spin_manifest_free(NULL);
	ociwp_component_free(NULL);
}
