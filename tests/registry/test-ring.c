/* SPDX-License-Identifier: Apache-2.0
 *
 * The byte queue: order is kept over the seam, nothing is lost or taken twice.
 */
#include "registry/ring.h"

#include <criterion/criterion.h>
#include <string.h>

Test(ring, bytes_come_out_in_the_order_they_went_in)
{
	ociwp_ring ring;
	unsigned char next_in = 0, next_out = 0;
	cr_assert(ociwp_ring_init(&ring, 7));
	for (size_t round = 0; round < 1000; round++) {
		unsigned char in[5], out[4];
		size_t want = round % 5 + 1;
		if (ociwp_ring_room(&ring) >= want) {
			for (size_t i = 0; i < want; i++)
				in[i] = next_in++;
			cr_assert(ociwp_ring_push(&ring, in, want));
		}
		size_t got = ociwp_ring_pop(&ring, out, round % 4 + 1);
		for (size_t i = 0; i < got; i++)
			cr_assert_eq(out[i], next_out++);
	}
	ociwp_ring_deinit(&ring);
}

Test(ring, what_does_not_fit_is_not_taken_at_all)
{
	ociwp_ring ring;
	char out[8];
	cr_assert(ociwp_ring_init(&ring, 4));
	cr_assert(ociwp_ring_push(&ring, "abc", 3));
	cr_assert_not(ociwp_ring_push(&ring, "de", 2));
	cr_assert_eq(ociwp_ring_pop(&ring, out, sizeof(out)), 3);
	cr_assert_eq(memcmp(out, "abc", 3), 0);
	cr_assert_eq(ociwp_ring_pop(&ring, out, sizeof(out)), 0);
	ociwp_ring_deinit(&ring);
}

Test(ring, a_free_area_can_be_filled_in_place)
{
	ociwp_ring ring;
	char *area = NULL, out[4];
	cr_assert(ociwp_ring_init(&ring, 4));
	cr_assert(ociwp_ring_push(&ring, "abc", 3));
	cr_assert_eq(ociwp_ring_pop(&ring, out, 2), 2);
	cr_assert_eq(ociwp_ring_free_area(&ring, &area), 1); /* up to the seam */
	*area = 'd';
	ociwp_ring_produced(&ring, 1);
	cr_assert_eq(ociwp_ring_free_area(&ring, &area), 2);
	memcpy(area, "ef", 2);
	ociwp_ring_produced(&ring, 2);
	cr_assert_eq(ociwp_ring_free_area(&ring, &area), 0);
	cr_assert_eq(ociwp_ring_pop(&ring, out, 4), 4);
	cr_assert_eq(memcmp(out, "cdef", 4), 0);
	ociwp_ring_deinit(&ring);
}
