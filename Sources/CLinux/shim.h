#pragma once
// No _GNU_SOURCE here: it changes fd_set and so contradicts the Glibc module. What needs it is declared below.
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>
/// Large blocks go back to the system when they are freed, instead of leaving holes in the heap that nothing fits into: a shift of
/// 2,000,000 records held 300 to 370 MB so, and 420 to 650 where blocks of up to 4 MiB lay in the heap. The allocator would otherwise
/// raise its idea of "large" up to 32 MB.
static inline void icegate_tune_heap(void) {
  extern int mallopt(int, int);
  mallopt(-3 /* M_MMAP_THRESHOLD */, 256 << 10);
  mallopt(-1 /* M_TRIM_THRESHOLD */, 32 << 20);
  // Every thread may otherwise get a heap of its own, and each keeps what a moment needed.
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  mallopt(-8 /* M_ARENA_MAX */, cores < 2 ? 2 : cores > 16 ? 16 : (int)cores);
}
/// Gives free memory of the heap back to the system.
static inline void icegate_trim_heap(void) {
  extern int malloc_trim(unsigned long);
  malloc_trim(0);
}
static inline int icegate_accept4(int fd, int flags) {
  extern int accept4(int, struct sockaddr *, socklen_t *, int);
  return accept4(fd, 0, 0, flags);
}
static inline int icegate_renameat2_noreplace(const char *from, const char *to) {
  extern int renameat2(int, const char *, int, const char *, unsigned);
  return renameat2(AT_FDCWD, from, AT_FDCWD, to, 1 /* RENAME_NOREPLACE */);
}
/// Names the calling thread; at most 15 characters, the kernel's limit, beyond which it sets nothing.
static inline int icegate_name_thread(const char *name) {
  extern int prctl(int, ...);
  return prctl(15 /* PR_SET_NAME */, name, 0, 0, 0);
}
