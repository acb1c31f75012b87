#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct icegate_re2 icegate_re2;
/// Compiles a pattern (RE2 syntax, Latin-1 off). On failure returns NULL and writes a message (NUL-terminated, cut to `error_size`).
icegate_re2 *icegate_re2_new(const char *pattern, size_t length, bool case_insensitive, int64_t max_memory, char *error, size_t error_size);
void icegate_re2_free(icegate_re2 *);
/// Unanchored search.
bool icegate_re2_search(const icegate_re2 *, const char *text, size_t length);
/// The whole text must match.
bool icegate_re2_full_match(const icegate_re2 *, const char *text, size_t length);
int icegate_re2_group_count(const icegate_re2 *);
/// Search from `start`; writes (group_count + 1) pairs of byte offsets, -1 for groups that did not take part.
bool icegate_re2_groups(const icegate_re2 *, const char *text, size_t length, size_t start, int64_t *offsets, int pairs);
/// Name of group `index` (1-based) or NULL; valid while the expression lives.
const char *icegate_re2_group_name(const icegate_re2 *, int index);
#ifdef __cplusplus
}
#endif
