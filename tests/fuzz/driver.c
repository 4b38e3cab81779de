/* Replays a corpus through a fuzz target without a fuzzer: the arguments are files; of each, every file in the same
 * folder is fed once. Prints the count, so that an empty corpus is seen. */
#include "base/base.h"

#include <dirent.h>
#include <libgen.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f) {
		perror(path);
		exit(1);
	}
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, 256 * MIB);
	while (buf_reserve(&b, 65536)) {
		size_t n = fread(b.ptr + b.len, 1, 65536, f);
		if (n == 0)
			break;
		b.len += n;
	}
	fclose(f);
	/* An exact copy, so that the sanitizer sees the first byte read behind the input. */
	uint8_t *copy = xmalloc(b.len);
	if (b.len)
		memcpy(copy, b.ptr, b.len);
	(void)LLVMFuzzerTestOneInput(copy, b.len);
	free(copy);
}

int main(int argc, char **argv)
{
	unsigned count = 0;
	for (int i = 1; i < argc; i++) {
		const char *folder = dirname(argv[i]);
		DIR *d = opendir(folder);
		if (!d) {
			perror(folder);
			return 1;
		}
		for (struct dirent *e; (e = readdir(d));) {
			char path[4096];
			if (e->d_name[0] == '.')
				continue;
			(void)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
			feed(path);
			count++;
		}
		closedir(d);
	}
	printf("%u inputs\n", count);
	return count ? 0 : 1;
}
