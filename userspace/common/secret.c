// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory for key bytes. */
#include "secret.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

int qlink_secret_new(struct qlink_secret *secret, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *data;
	int err;

	memset(secret, 0, sizeof(*secret));
	if (len > SIZE_MAX - page)
		return -ENOMEM;
	secret->len = len;
	secret->mapped = (len + page - 1) / page * page;
	data = mmap(NULL, secret->mapped, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return -errno;
	if (mlock(data, secret->mapped) ||
	    madvise(data, secret->mapped, MADV_DONTDUMP) ||
	    madvise(data, secret->mapped, MADV_WIPEONFORK)) {
		err = -errno;
		munmap(data, secret->mapped);
		return err;
	}
	secret->data = data;
	return 0;
}

void qlink_secret_free(struct qlink_secret *secret)
{
	if (!secret->data)
		return;
	explicit_bzero(secret->data, secret->mapped);
	munmap(secret->data, secret->mapped);
	memset(secret, 0, sizeof(*secret));
}

void qlink_secret_harden(void)
{
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
