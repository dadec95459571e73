/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a fuzz target over files and folders of files: a corpus as an ordinary test, any compiler.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		return 1;
	}
	size_t len = 0, cap = 1 << 16;
	uint8_t *data = malloc(cap);
	while (data) {
		len += fread(data + len, 1, cap - len, file);
		if (len < cap)
			break;
		uint8_t *grown = realloc(data, cap *= 2);
		if (!grown)
			free(data);
		data = grown;
	}
	fclose(file);
	if (!data)
		return 1;
	/* An exact allocation, so that sanitizers see a read one byte past the end. */
	uint8_t *exact = malloc(len ? len : 1);
	if (!exact) {
		free(data);
		return 1;
	}
	memcpy(exact, data, len);
	free(data);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	return 0;
}

static int replay(const char *path, size_t *count)
{
	struct stat st;
	if (stat(path, &st) != 0) {
		perror(path);
		return 1;
	}
	if (!S_ISDIR(st.st_mode)) {
		++*count;
		return replay_file(path);
	}
	DIR *dir = opendir(path);
	if (!dir) {
		perror(path);
		return 1;
	}
	int failed = 0;
	for (struct dirent *entry; (entry = readdir(dir));) {
		char child[4096];
		if (entry->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(child, sizeof(child), "%s/%s", path, entry->d_name) < sizeof(child))
			failed |= replay(child, count);
	}
	closedir(dir);
	return failed;
}

int main(int argc, char **argv)
{
	size_t count = 0;
	int failed = 0;
	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i], &count);
	printf("%zu inputs replayed\n", count);
	return failed || count == 0;
}
