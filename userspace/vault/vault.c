// SPDX-License-Identifier: GPL-2.0-or-later
/* A vault in use: each of its keys is given out once, and spent before. */
#include "vault.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "disk.h"

/* The most records that an interrupted request can leave, and so many zeroed ones in a row end the search for them. */
#define REQUEST_MAX	512
/* Records that are read at once. */
#define RECORDS_READ	256

struct vault {
	char *path;
	int fd;
	uint8_t head[VAULT_HEAD_BYTES];
	struct vault_layout layout;
	struct vault_seal *seal;
	struct vault_marks marks;
	uint64_t n_put_back;
};

static const uint8_t zeros[VAULT_RECORD_BYTES_MAX];

static int refuse(const struct vault *vault, const char *rule, struct qlink_why *why)
{
	return qlink_refuse(why, -EINVAL, "vault %.200s: %s", vault->path, rule);
}

static int refuse_errno(const struct vault *vault, const char *what, int err, struct qlink_why *why)
{
	return qlink_refuse(why, err, "vault %.200s: cannot be %s: %s", vault->path, what, strerror(-err));
}

static int refuse_index(const struct vault *vault, int err, struct qlink_why *why)
{
	return qlink_refuse(why, err, "index %.200s: cannot be written: %s", vault->marks.path, strerror(-err));
}

/* --- records --- */

static int read_record(const struct vault *vault, uint64_t number, uint8_t *record)
{
	return disk_read(vault->fd, record, vault_record_bytes(&vault->layout),
			 vault_record_at(&vault->layout, number));
}

static int wipe_record(const struct vault *vault, uint64_t number)
{
	return disk_write(vault->fd, zeros, vault_record_bytes(&vault->layout),
			  vault_record_at(&vault->layout, number));
}

static bool is_zero(const struct vault *vault, const uint8_t *record)
{
	return !memcmp(record, zeros, vault_record_bytes(&vault->layout));
}

/* Calls @use with each record. Many are read at once: a vault may have millions. */
static int look_through(const struct vault *vault,
			void (*use)(const struct vault *vault, uint64_t number, const uint8_t *record, void *arg),
			void *arg)
{
	size_t bytes = vault_record_bytes(&vault->layout), i, n;
	uint8_t *records = malloc(RECORDS_READ * bytes);
	uint64_t at;
	int err = records ? 0 : -ENOMEM;

	for (at = 0; !err && at < vault->layout.n_keys; at += n) {
		n = vault->layout.n_keys - at < RECORDS_READ ? vault->layout.n_keys - at : RECORDS_READ;
		err = disk_read(vault->fd, records, n * bytes, vault_record_at(&vault->layout, at));
		for (i = 0; !err && i < n; i++)
			use(vault, at + i, records + i * bytes, arg);
	}
	free(records);
	return err;
}

static void note_zero(const struct vault *vault, uint64_t number, const uint8_t *record, void *arg)
{
	uint64_t *ends = arg;

	if (is_zero(vault, record))
		ends[vault_side_of(&vault->layout, number)] = number + 1;
}

/* --- opening --- */

static int open_file(struct vault *vault, struct qlink_why *why)
{
	struct stat stat;
	int err;

	vault->fd = open(vault->path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (vault->fd < 0 && errno == ENOENT)
		return qlink_refuse(why, -ENOENT, "vault %.200s: does not exist", vault->path);
	if (vault->fd < 0)
		return refuse_errno(vault, "opened", -errno, why);
	if (flock(vault->fd, LOCK_EX) || fstat(vault->fd, &stat))
		return refuse_errno(vault, "locked", -errno, why);
	if (!S_ISREG(stat.st_mode))
		return refuse(vault, "is no regular file", why);
	err = disk_read(vault->fd, vault->head, sizeof(vault->head), 0);
	if (err)
		return err == -ENODATA ? refuse(vault, "is no vault, or cut off", why) :
		       refuse_errno(vault, "read", err, why);
	if (vault_layout_read(&vault->layout, vault->head, why)) {
		const struct qlink_why cause = *why;

		return refuse(vault, cause.text, why);
	}
	if ((uint64_t)stat.st_size != vault_record_at(&vault->layout, vault->layout.n_keys))
		return qlink_refuse(why, -EINVAL, "vault %.200s: has %lld bytes, and its header says %" PRIu64
				    ": was it copied whole", vault->path, (long long)stat.st_size,
				    vault_record_at(&vault->layout, vault->layout.n_keys));
	return 0;
}

static int unseal(struct vault *vault, const char *key_path, struct qlink_why *why)
{
	int err = vault_seal_new(&vault->seal, key_path, &vault->layout, why);

	if (err)
		return err;
	return vault_seal_is_head(vault->seal, vault->head) ? 0 :
	       qlink_refuse(why, -EINVAL, "vault %.200s: is not opened by key file %.150s: it is sealed with another "
			    "key, or its header is damaged", vault->path, key_path);
}

/* In each half, sets the marks of all keys up to the last whose record is zero. Returns how many, or -errno. */
static int64_t mark_zeroed(struct vault *vault)
{
	uint64_t ends[2] = { 0, 0 }, i;
	enum vault_side side;
	int64_t n = 0;
	int err = look_through(vault, note_zero, ends);

	if (err)
		return err;
	for (side = VAULT_SIDE_A; side <= VAULT_SIDE_B; side++) {
		for (i = vault_half_begin(&vault->layout, side); i < ends[side]; i++) {
			n++;
			vault->marks.bits[i / 8] |= (uint8_t)(1 << i % 8);
		}
	}
	return n;
}

/* An end that is new to the vault gets an index. Elsewhere it is lost, and with it what is spent. */
static int begin(struct vault *vault, const struct vault_place *place, struct qlink_why *why)
{
	int64_t n = mark_zeroed(vault);

	if (n < 0)
		return refuse_errno(vault, "read", (int)n, why);
	if (n || place->takes_any_side)
		return qlink_refuse(why, -ENOENT, "index %.200s: does not exist%s", vault->marks.path, n ?
				    ", and keys are spent: bring it back, or make a new one by \"qlink-vault mend\"" :
				    ": no end has opened this copy yet");
	return vault_marks_create(&vault->marks, vault->fd, vault->head, vault->seal, place->side, why);
}

static int open_marks(struct vault *vault, const struct vault_place *place, struct qlink_why *why)
{
	int err = vault_marks_open(&vault->marks, vault->path, vault->head, &vault->layout, vault->seal, why);

	if (err == -ENOENT)
		err = begin(vault, place, why);
	if (err)
		return err;
	if (!place->takes_any_side && vault->marks.side != place->side)
		return qlink_refuse(why, -EINVAL, "index %.200s: this end is side %c, not side %c as configured",
				    vault->marks.path, vault_side_letter(vault->marks.side),
				    vault_side_letter(place->side));
	return 0;
}

/*
 * Zeroes records of spent keys that a request left which was interrupted, or that came back with an older copy
 * of the file. Both are the last ones before the position.
 */
static int finish(struct vault *vault, enum vault_side side)
{
	uint64_t begin_at = vault_half_begin(&vault->layout, side), at = begin_at + vault->layout.n_keys / 2;
	uint8_t record[VAULT_RECORD_BYTES_MAX];
	unsigned int n_zero = 0;
	uint64_t n = 0;
	int err = 0;

	while (!err && at-- > begin_at && n_zero < REQUEST_MAX) {
		if (!vault_marks_has(&vault->marks, at))
			continue;
		err = read_record(vault, at, record);
		if (err || is_zero(vault, record)) {
			n_zero++;
			continue;
		}
		n_zero = 0;
		n++;
		err = wipe_record(vault, at);
	}
	if (n > REQUEST_MAX)
		vault->n_put_back += n;
	return err || !n ? err : disk_sync(vault->fd);
}

static int open_first(struct vault **out, const struct vault_place *place, struct qlink_why *why)
{
	struct vault *vault = calloc(1, sizeof(*vault));

	if (!vault)
		return qlink_refuse(why, -ENOMEM, "no memory");
	*out = vault;
	vault->fd = -1;
	vault->marks.fd = -1;
	vault->path = strdup(place->path);
	if (!vault->path)
		return qlink_refuse(why, -ENOMEM, "no memory");
	return open_file(vault, why) ?: unseal(vault, place->key_path, why);
}

static int finish_both(struct vault *vault, struct qlink_why *why)
{
	int err = finish(vault, VAULT_SIDE_A) ?: finish(vault, VAULT_SIDE_B);

	return err ? refuse_errno(vault, "written", err, why) : 0;
}

int vault_open(struct vault **out, const struct vault_place *place, struct qlink_why *why)
{
	struct vault *vault = NULL;
	int err = open_first(&vault, place, why);

	if (!err)
		err = open_marks(vault, place, why);
	if (!err)
		err = finish_both(vault, why);
	if (err)
		vault_close(vault);
	else
		*out = vault;
	return err;
}

int vault_mend(struct vault **out, const struct vault_place *place, struct qlink_why *why)
{
	struct vault *vault = NULL;
	int err = open_first(&vault, place, why);
	int64_t n;

	if (!err) {
		err = vault_marks_open(&vault->marks, vault->path, vault->head, &vault->layout, vault->seal, why);
		if (!err)
			err = qlink_refuse(why, -EEXIST, "index %.200s: is intact", vault->marks.path);
		else if ((err == -ENOENT || err == -EINVAL) && vault->marks.path)
			err = 0;
	}
	if (!err) {
		memset(vault->marks.bits, 0, (size_t)(vault->layout.n_keys + 7) / 8);
		n = mark_zeroed(vault);
		err = n < 0 ? refuse_errno(vault, "read", (int)n, why) :
		      vault_marks_create(&vault->marks, vault->fd, vault->head, vault->seal, place->side, why);
	}
	if (!err)
		err = finish_both(vault, why);
	if (err)
		vault_close(vault);
	else
		*out = vault;
	return err;
}

void vault_close(struct vault *vault)
{
	if (!vault)
		return;
	vault_marks_close(&vault->marks);
	vault_seal_free(vault->seal);
	/* This unlocks it. */
	if (vault->fd >= 0)
		close(vault->fd);
	free(vault->path);
	free(vault);
}

/* --- what is left --- */

const struct vault_layout *vault_layout(const struct vault *vault)
{
	return &vault->layout;
}

enum vault_side vault_own_side(const struct vault *vault)
{
	return vault->marks.side;
}

uint64_t vault_put_back(const struct vault *vault)
{
	return vault->n_put_back;
}

void vault_look(const struct vault *vault, enum vault_side side, struct vault_half *half)
{
	uint64_t from = vault_half_begin(&vault->layout, side), i;

	memset(half, 0, sizeof(*half));
	half->n = half->left = vault->layout.n_keys / 2;
	for (i = 0; i < half->n; i++) {
		if (!vault_marks_has(&vault->marks, from + i))
			continue;
		half->left--;
		half->position = i + 1;
	}
}

/* --- spending --- */

/* Sets the marks of keys, and waits for the disk. */
static int spend(struct vault *vault, const struct vault_key *keys, size_t n, struct qlink_why *why)
{
	int err = 0;
	size_t i;

	for (i = 0; i < n && !err; i++)
		err = vault_marks_set(&vault->marks, keys[i].number);
	if (!err)
		err = disk_sync(vault->marks.fd);
	return err ? refuse_index(vault, err, why) : 0;
}

static void note_damaged(const struct vault *vault, uint64_t number, struct qlink_why *why)
{
	char id[VAULT_ID_ROOM];

	vault_id_write(&vault->layout, number, id);
	qlink_refuse(why, -EBADMSG, "vault %.200s: the record of key %s is damaged; the key is passed over",
		     vault->path, id);
}

/* Opens the records of spent keys and zeroes them. Keeps the good keys in order; returns how many, or -errno. */
static int open_records(struct vault *vault, struct vault_key *keys, size_t n, struct qlink_why *why)
{
	uint8_t record[VAULT_RECORD_BYTES_MAX];
	size_t i, good = 0;
	int err = 0;

	for (i = 0; i < n && !err; i++) {
		err = read_record(vault, keys[i].number, record);
		if (err)
			break;
		keys[good].number = keys[i].number;
		keys[good].place = keys[i].place;
		if (vault_seal_open(vault->seal, vault->head, keys[i].number, record, keys[good].bytes))
			good++;
		else
			note_damaged(vault, keys[i].number, why);
		err = wipe_record(vault, keys[i].number);
	}
	if (!err)
		err = disk_sync(vault->fd);
	if (!err)
		return (int)good;
	OPENSSL_cleanse(keys, n * sizeof(*keys));
	return refuse_errno(vault, "read and overwritten", err, why);
}

/* The numbers of the next keys of the own half that are not spent. */
static size_t find_next(const struct vault *vault, struct vault_key *keys, size_t n)
{
	uint64_t at = vault_half_begin(&vault->layout, vault->marks.side);
	uint64_t end = at + vault->layout.n_keys / 2;
	size_t found = 0;

	for (; at < end && found < n; at++) {
		if (!vault_marks_has(&vault->marks, at))
			keys[found++] = (struct vault_key){ .number = at };
	}
	return found;
}

int vault_take(struct vault *vault, struct vault_key *keys, size_t n, struct qlink_why *why)
{
	size_t good = 0, found;
	int got;

	why->text[0] = '\0';
	/* More than once where records are damaged. */
	while (good < n && (found = find_next(vault, keys + good, n - good))) {
		got = spend(vault, keys + good, found, why) ?: open_records(vault, keys + good, found, why);
		if (got < 0) {
			OPENSSL_cleanse(keys, n * sizeof(*keys));
			return got;
		}
		good += (size_t)got;
	}
	return (int)good;
}

/* What the operator needs to mend two ends that are out of step: both positions, and the command. */
static void note_spent(const struct vault *vault, uint64_t number, struct qlink_why *why)
{
	enum vault_side side = vault_side_of(&vault->layout, number);
	char id[VAULT_ID_ROOM], next[VAULT_ID_ROOM];
	struct vault_half half;

	vault_look(vault, side, &half);
	vault_id_write(&vault->layout, number, id);
	if (half.position == half.n) {
		qlink_refuse(why, -ESTALE, "vault %.150s: the ends are out of step: the peer is at key %s, and this "
			     "end has spent the last key of side %c", vault->path, id, vault_side_letter(side));
		return;
	}
	vault_id_write(&vault->layout, vault_half_begin(&vault->layout, side) + half.position, next);
	qlink_refuse(why, -ESTALE, "vault %.150s: the ends are out of step: the peer is at key %s, and this end at "
		     "%s: run \"qlink-vault skip FILE --key KEYFILE --to %s\" at the peer", vault->path, id, next, next);
}

static bool is_there(const struct vault *vault, const char *id, uint64_t *number, struct qlink_why *why)
{
	struct qlink_why cause;

	if (vault_id_read(&vault->layout, id, number, &cause)) {
		refuse(vault, cause.text, why);
		return false;
	}
	if (vault_side_of(&vault->layout, *number) == vault->marks.side) {
		qlink_refuse(why, -EINVAL, "vault %.150s: the peer offers key %s of this end's own half: both ends are "
			     "side %c, and one must be side %c", vault->path, id,
			     vault_side_letter(vault->marks.side),
			     vault_side_letter((enum vault_side)!vault->marks.side));
		return false;
	}
	if (!vault_marks_has(&vault->marks, *number))
		return true;
	note_spent(vault, *number, why);
	return false;
}

int vault_fetch(struct vault *vault, struct vault_key *keys, const char *const *ids, size_t n,
		struct qlink_why *why)
{
	uint64_t number;
	size_t i, found = 0;

	why->text[0] = '\0';
	for (i = 0; i < n; i++) {
		if (is_there(vault, ids[i], &number, why))
			keys[found++] = (struct vault_key){ .number = number, .place = i };
	}
	if (!found)
		return 0;
	return spend(vault, keys, found, why) ?: open_records(vault, keys, found, why);
}

int vault_skip(struct vault *vault, uint64_t number, enum vault_side side, uint64_t *n, struct qlink_why *why)
{
	uint64_t from = vault_half_begin(&vault->layout, side), i;
	int err = 0;

	*n = 0;
	for (i = from; i < number && !err; i++) {
		*n += !vault_marks_has(&vault->marks, i);
		err = vault_marks_has(&vault->marks, i) ? 0 : vault_marks_set(&vault->marks, i);
	}
	if (!err)
		err = disk_sync(vault->marks.fd);
	if (err)
		return refuse_index(vault, err, why);
	for (i = from; i < number && !err; i++)
		err = wipe_record(vault, i);
	if (!err)
		err = disk_sync(vault->fd);
	return err ? refuse_errno(vault, "written", err, why) : 0;
}

static void check_record(const struct vault *vault, uint64_t number, const uint8_t *record, void *arg)
{
	struct vault_report *report = arg;
	uint8_t key[VAULT_KEY_BYTES_MAX];

	if (vault_marks_has(&vault->marks, number)) {
		report->spent++;
		report->readable += !is_zero(vault, record);
	} else if (vault_seal_open(vault->seal, vault->head, number, record, key)) {
		report->intact++;
		OPENSSL_cleanse(key, sizeof(key));
	} else if (!report->damaged++) {
		report->first = number;
	}
}

int vault_check(struct vault *vault, struct vault_report *report, struct qlink_why *why)
{
	int err;

	memset(report, 0, sizeof(*report));
	err = look_through(vault, check_record, report);
	return err ? refuse_errno(vault, "read", err, why) : 0;
}
