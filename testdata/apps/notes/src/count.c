/* SPDX-License-Identifier: Apache-2.0
 *
 * A plain command: counts the words of the notes it was packed with and says so.
 */
#include <ctype.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "/notes.txt";
	FILE *file = fopen(name, "rb");
	if (!file) {
		perror(name);
		return 1;
	}
	unsigned long words = 0;
	int c, inside = 0;
	while ((c = getc(file)) != EOF) {
		int letter = !isspace(c);
		words += (unsigned long)(letter && !inside);
		inside = letter;
	}
	fclose(file);
	printf("%lu words\n", words);
	return 0;
}
