/* SPDX-License-Identifier: Apache-2.0
 *
 * Notes of unfinished uploads: kept, locked, private, and believed only when they are whole.
 */
#include "registry/upload-note.h"

#include "base/str.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DIGEST "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

static char root[] = "/tmp/ociw-note-XXXXXX";
static char dir[64];

static void setup(void)
{
	cr_assert_not_null(mkdtemp(root));
	snprintf(dir, sizeof(dir), "%s/state/uploads", root);
}

static void teardown(void)
{
	char command[96];
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	cr_assert_eq(system(command), 0);
}

TestSuite(upload_note, .init = setup, .fini = teardown);

static bool open_note(ociwp_upload_note *note)
{
	return ociwp_upload_note_open(note, dir, "localhost:5000", "a/b", DIGEST);
}

/* A note with this text, as some process left it. */
static void leave(const char *text)
{
	ociwp_upload_note note;
	cr_assert(open_note(&note));
	cr_assert_eq(ftruncate(note.fd, 0), 0);
	cr_assert_eq(pwrite(note.fd, text, strlen(text), 0), (ssize_t)strlen(text));
	ociwp_upload_note_close(&note, true);
}

static char *found(void)
{
	ociwp_upload_note note;
	cr_assert(open_note(&note));
	char *text = ociwp_upload_note_read(&note);
	ociwp_upload_note_close(&note, true);
	return text;
}

Test(upload_note, what_was_written_is_read_by_the_next_run)
{
	ociwp_upload_note note;
	cr_assert(open_note(&note));
	cr_assert_null(ociwp_upload_note_read(&note));
	ociwp_upload_note_write(&note,
	                        "http://localhost:5000/v2/a/b/blobs/uploads/long?_state=abc");
	ociwp_upload_note_write(&note, "http://localhost:5000/u/1");
	ociwp_upload_note_close(&note, true);
	OCIWP_AUTO(str) char *text = found();
	cr_assert_str_eq(text, "http://localhost:5000/u/1");
}

Test(upload_note, another_blob_repository_or_host_has_another_one)
{
	ociwp_upload_note note;
	leave("http://localhost:5000/u/1\n");
	const char *const others[][2] = {{"localhost:5000", "a/c"}, {"localhost:5001", "a/b"}};
	for (size_t i = 0; i < 2; i++) {
		cr_assert(ociwp_upload_note_open(&note, dir, others[i][0], others[i][1], DIGEST));
		cr_assert_null(ociwp_upload_note_read(&note));
		ociwp_upload_note_close(&note, false);
	}
}

Test(upload_note, one_that_ended_is_gone)
{
	ociwp_upload_note note;
	leave("http://localhost:5000/u/1\n");
	cr_assert(open_note(&note));
	ociwp_upload_note_close(&note, false);
	cr_assert_null(found());
}

Test(upload_note, one_process_has_it_at_a_time)
{
	ociwp_upload_note first, second;
	cr_assert(open_note(&first));
	cr_assert_not(open_note(&second));
	ociwp_upload_note_close(&first, true);
	cr_assert(open_note(&second));
	ociwp_upload_note_close(&second, true);
}

Test(upload_note, it_is_the_users_alone)
{
	struct stat st;
	ociwp_upload_note note;
	cr_assert(open_note(&note));
	cr_assert_eq(fstat(note.fd, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
	cr_assert_eq(fstat(note.dir_fd, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0700);
	ociwp_upload_note_close(&note, true);
	cr_assert_eq(chmod(dir, 0777), 0);
	cr_assert_not(open_note(&note), "a folder that others may write to is not used");
}

Test(upload_note, broken_ones_are_not_believed)
{
	static const char *const bad[] = {"", "\n", "http://localhost:5000/u/1",
	                                  "http://localhost:5000/u\r\nX: y\n", "http://a b/\n"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		leave(bad[i]);
		cr_expect_null(found(), "%s", bad[i]);
	}
}

Test(upload_note, old_ones_are_neither_believed_nor_kept)
{
	char path[256];
	ociwp_upload_note note, other;
	leave("http://localhost:5000/u/1\n");
	cr_assert(open_note(&note));
	struct timespec times[2] = {{.tv_sec = time(NULL)}, {.tv_sec = time(NULL) - 8 * 24 * 3600}};
	snprintf(path, sizeof(path), "%s/%s", dir, note.name);
	cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
	cr_assert_null(ociwp_upload_note_read(&note));
	ociwp_upload_note_close(&note, true);
	cr_assert(ociwp_upload_note_open(&other, dir, "localhost:5000", "other", DIGEST));
	ociwp_upload_note_close(&other, false);
	cr_assert_eq(access(path, F_OK), -1);
}

Test(upload_note, a_link_in_its_place_is_not_followed)
{
	char path[256], target[64];
	ociwp_upload_note note;
	cr_assert(open_note(&note));
	snprintf(path, sizeof(path), "%s/%s", dir, note.name);
	ociwp_upload_note_close(&note, false);
	snprintf(target, sizeof(target), "%s/victim", root);
	cr_assert_eq(symlink(target, path), 0);
	cr_assert_not(open_note(&note));
	cr_assert_eq(access(target, F_OK), -1);
}

Test(upload_note, without_a_folder_there_is_none)
{
	ociwp_upload_note note;
	cr_assert_not(ociwp_upload_note_open(&note, NULL, "h", "r", DIGEST));
	ociwp_upload_note_write(&note, "http://localhost:5000/u/1");
	cr_assert_null(ociwp_upload_note_read(&note));
	ociwp_upload_note_close(&note, false);
}
