// SPDX-License-Identifier: GPL-2.0-or-later
/* What was before a change: files, and what the kernel had of devices. */
#include "before.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#define BOOT_ID	"/proc/sys/kernel/random/boot_id"
#define LIST	"change.json"

/* ---- memory ---- */

int before_add_file(struct before *before, const char *path)
{
	struct before_file *files = reallocarray(before->files, before->n_files + 1, sizeof(*files)), *file;

	if (!files)
		return -ENOMEM;
	before->files = files;
	file = &files[before->n_files++];
	*file = (struct before_file){ .path = strdup(path) };
	return file->path ? whole_read(&file->was, path) : -ENOMEM;
}

struct before_device *before_add_device(struct before *before, const char *name)
{
	struct before_device *devices, *device;

	devices = reallocarray(before->devices, before->n_devices + 1, sizeof(*devices));
	if (!devices)
		return NULL;
	before->devices = devices;
	device = &devices[before->n_devices++];
	*device = (struct before_device){ .name = strdup(name) };
	return device->name ? device : NULL;
}

void before_free(struct before *before)
{
	size_t i;

	for (i = 0; i < before->n_files; i++) {
		free(before->files[i].path);
		whole_free(&before->files[i].was);
	}
	for (i = 0; i < before->n_devices; i++) {
		free(before->devices[i].name);
		free(before->devices[i].touched);
		site_free(&before->devices[i].was);
	}
	free(before->files);
	free(before->devices);
	free(before->control);
	*before = (struct before){ 0 };
}

static void read_boot(char boot[40])
{
	FILE *from = fopen(BOOT_ID, "re");

	*boot = '\0';
	if (!from || !fgets(boot, 40, from))
		*boot = '\0';
	boot[strcspn(boot, "\n")] = '\0';
	if (from)
		fclose(from);
}

bool before_is_this_boot(const struct before *before)
{
	char boot[40];

	read_boot(boot);
	return !strcmp(boot, before->boot);
}

/* ---- as JSON ---- */

/* The bytes of a file need not be text in UTF-8: they lie beside, as a file of this number. */
static json_t *file_json(const struct before_file *file)
{
	return json_pack("{s:s, s:b, s:i, s:i, s:i}", "path", file->path, "exists", file->was.exists,
			 "mode", (int)file->was.mode, "uid", (int)file->was.uid, "gid", (int)file->was.gid);
}

static json_t *device_json(const struct before_device *device)
{
	const struct site_section *section = device->was.sections;
	json_t *options = device->was.n_sections ? json_object() : json_null();
	size_t i;

	for (i = 0; device->was.n_sections && i < section->n_options; i++)
		json_object_set_new(options, section->options[i].name, json_string(section->options[i].value));
	return json_pack("{s:s, s:s, s:o}", "name", device->name, "touched", device->touched ?: "", "was", options);
}

static json_t *all_json(const struct before *before)
{
	json_t *files = json_array(), *devices = json_array();
	char boot[40];
	size_t i;

	read_boot(boot);
	for (i = 0; i < before->n_files; i++)
		json_array_append_new(files, file_json(&before->files[i]));
	for (i = 0; i < before->n_devices; i++)
		json_array_append_new(devices, device_json(&before->devices[i]));
	/* A name that is no UTF-8 has no place in JSON, and what is lost here could not be put back. */
	if (json_array_size(files) != before->n_files || json_array_size(devices) != before->n_devices) {
		json_decref(files);
		json_decref(devices);
		return NULL;
	}
	return json_pack("{s:s, s:s, s:i, s:I, s:o, s:o}", "boot", boot, "control", before->control ?: "",
			 "seconds", (int)before->seconds, "deadline_ms", (json_int_t)before->deadline_ms,
			 "files", files, "devices", devices);
}

static int take_file(struct before *before, const json_t *from, const char *folder, size_t i)
{
	int exists = 0, mode = 0, uid = 0, gid = 0, err;
	struct before_file *file;
	const char *path;
	char *kept;

	if (json_unpack((json_t *)from, "{s:s, s:b, s:i, s:i, s:i}", "path", &path, "exists", &exists, "mode", &mode,
			"uid", &uid, "gid", &gid))
		return -EBADMSG;
	if (asprintf(&kept, "%s/%zu", folder, i) < 0)
		return -ENOMEM;
	err = before_add_file(before, kept);
	free(kept);
	if (err)
		return err;
	file = &before->files[before->n_files - 1];
	if (exists != file->was.exists)
		return -EBADMSG;
	file->was.mode = (mode_t)mode;
	file->was.uid = (uid_t)uid;
	file->was.gid = (gid_t)gid;
	free(file->path);
	file->path = strdup(path);
	return file->path ? 0 : -ENOMEM;
}

static int take_options(struct before_device *device, json_t *options)
{
	struct site_section *section = site_add(&device->was, SITE_DEVICE, device->name);
	const char *name;
	json_t *value;
	int err = section ? 0 : -ENOMEM;

	json_object_foreach(options, name, value) {
		if (!err)
			err = json_is_string(value) ? site_set(section, name, json_string_value(value)) : -EBADMSG;
	}
	return err;
}

static int take_device(struct before *before, const json_t *from)
{
	struct before_device *device;
	const char *name, *touched;
	json_t *was;

	if (json_unpack((json_t *)from, "{s:s, s:s, s:o}", "name", &name, "touched", &touched, "was", &was))
		return -EBADMSG;
	device = before_add_device(before, name);
	if (!device)
		return -ENOMEM;
	device->touched = strdup(touched);
	if (!device->touched)
		return -ENOMEM;
	return json_is_null(was) ? 0 : take_options(device, was);
}

static int take_all(struct before *before, const json_t *from, const char *folder)
{
	json_t *files, *devices, *item;
	const char *boot, *control;
	json_int_t deadline;
	int seconds, err = 0;
	size_t i;

	if (json_unpack((json_t *)from, "{s:s, s:s, s:i, s:I, s:o, s:o}", "boot", &boot, "control", &control,
			"seconds", &seconds, "deadline_ms", &deadline, "files", &files, "devices", &devices))
		return -EBADMSG;
	snprintf(before->boot, sizeof(before->boot), "%s", boot);
	before->control = strdup(control);
	before->seconds = (uint32_t)seconds;
	before->deadline_ms = (uint64_t)deadline;
	json_array_foreach(files, i, item) {
		if (!err)
			err = take_file(before, item, folder, i);
	}
	json_array_foreach(devices, i, item) {
		if (!err)
			err = take_device(before, item);
	}
	return err ?: before->control ? err : -ENOMEM;
}

/* ---- the folder ---- */

/* Writes a file into a folder. */
static int put(const char *folder, const char *name, char *text, size_t n)
{
	const struct whole whole = {
		.text = text, .n = n, .mode = 0600, .uid = geteuid(), .gid = getegid(), .exists = true,
	};
	char *path;
	int err;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return -ENOMEM;
	err = whole_write(&whole, path);
	free(path);
	return err;
}

int before_save_times(const struct before *before, const char *folder)
{
	json_t *json = all_json(before);
	char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
	int err = text ? put(folder, LIST, text, strlen(text)) : -EILSEQ;

	free(text);
	json_decref(json);
	return err;
}

static int fill(const struct before *before, const char *folder)
{
	int err = mkdir(folder, 0700) ? -errno : 0;
	char name[24];
	size_t i;

	for (i = 0; i < before->n_files && !err; i++) {
		snprintf(name, sizeof(name), "%zu", i);
		if (before->files[i].was.exists)
			err = put(folder, name, before->files[i].was.text, before->files[i].was.n);
	}
	return err ?: before_save_times(before, folder);
}

/* There are only files in it. */
static int empty(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && unlinkat(dirfd(dir), entry->d_name, 0))
			err = -errno;
	closedir(dir);
	if (!err && rmdir(folder))
		err = -errno;
	return err;
}

/* Renames a folder, and has that survive a loss of power. */
static int move(const char *from, const char *to)
{
	return rename(from, to) ? -errno : whole_sync_folder(to);
}

int before_save(const struct before *before, const char *folder)
{
	char *beside;
	int err;

	if (asprintf(&beside, "%s.new", folder) < 0)
		return -ENOMEM;
	err = empty(beside);
	if (!err)
		err = fill(before, beside);
	if (!err)
		err = move(beside, folder);
	free(beside);
	return err;
}

int before_load(struct before *before, const char *folder)
{
	struct stat is;
	char *path;
	json_t *json;
	int err;

	*before = (struct before){ 0 };
	if (stat(folder, &is))
		return -errno;
	if (asprintf(&path, "%s/" LIST, folder) < 0)
		return -ENOMEM;
	json = json_load_file(path, 0, NULL);
	err = json ? take_all(before, json, folder) : -EBADMSG;
	json_decref(json);
	free(path);
	return err;
}

int before_forget(const char *folder)
{
	char *beside;
	int err;

	if (asprintf(&beside, "%s.old", folder) < 0)
		return -ENOMEM;
	err = empty(beside);
	if (!err)
		err = move(folder, beside);
	/* It is forgotten; what lies there still goes next time. */
	if (!err)
		empty(beside);
	free(beside);
	return err;
}
