// SPDX-License-Identifier: GPL-2.0-or-later
/* Something that is killed at one of its system calls. */
#include "endedat.h"

#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

bool is_ended_at(void (*run)(void *arg), void *arg, int n)
{
	pid_t child = fork();
	int status, i;

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		run(arg);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		BAIL_OUT();
	for (i = 0; i < n && !WIFEXITED(status) && !WIFSIGNALED(status); i++) {
		ptrace(PTRACE_SYSCALL, child, NULL, NULL);
		waitpid(child, &status, 0);
	}
	if (WIFEXITED(status))
		return false;
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return true;
}
