/* Prints the transcript of tars (compressed or not) given as arguments, for comparing with other readers by hand:
 *     go run tests/witness/tar.go FILE      python3 tests/witness/tar_witness.py list FILE
 * Not a test; build it with `ninja tests/tar_list`. */
#include "tar_transcript.h"

#include "base/inflate.h"

#include <fcntl.h>
#include <unistd.h>

static int list(const char *path)
{
	struct err err = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct source_file f = { fd, 0, UINT64_MAX };
	struct inflate *s = fd < 0 ? NULL : inflate_open(source_of_file(&f), &err);
	struct transcript t;
	transcript_init(&t, true, 1 * GIB);
	if (s)
		transcript_pull_input(&t, tar_input_of_inflate(s), &err);
	if (t.out.len)
		(void)fwrite(t.out.ptr, 1, t.out.len, stdout);
	if (err.code)
		fprintf(stderr, "%s: %s\n", path, err.text);
	buf_done(&t.out);
	inflate_close(s);
	if (fd >= 0)
		close(fd);
	return err.code ? 1 : 0;
}

int main(int argc, char **argv)
{
	(void)transcript_push;
	(void)transcript_pull;
	int r = 0;
	for (int i = 1; i < argc; i++)
		r |= list(argv[i]);
	return r;
}
