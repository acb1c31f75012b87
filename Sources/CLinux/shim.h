#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>
// The Glibc module leaves out what needs _GNU_SOURCE.
static inline int icegate_accept4(int fd, int flags) { return accept4(fd, 0, 0, flags); }
static inline int icegate_renameat2_noreplace(const char *from, const char *to) {
  extern int renameat2(int, const char *, int, const char *, unsigned);
  return renameat2(AT_FDCWD, from, AT_FDCWD, to, 1 /* RENAME_NOREPLACE */);
}
