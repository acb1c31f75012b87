#include "cre2.h"
#include <cstring>
#include <re2/re2.h>
#include <string>
#include <vector>

struct icegate_re2 {
  RE2 expression;
  std::vector<std::string> names;
  icegate_re2(re2::StringPiece pattern, const RE2::Options &options) : expression(pattern, options) {}
};

extern "C" icegate_re2 *icegate_re2_new(const char *pattern, size_t length, bool case_insensitive, int64_t max_memory, char *error, size_t error_size) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(!case_insensitive);
  if (max_memory > 0) options.set_max_mem(max_memory);
  auto *result = new icegate_re2(re2::StringPiece(pattern, length), options);
  if (!result->expression.ok()) {
    if (error && error_size) {
      std::strncpy(error, result->expression.error().c_str(), error_size - 1);
      error[error_size - 1] = 0;
    }
    delete result;
    return nullptr;
  }
  result->names.resize(result->expression.NumberOfCapturingGroups() + 1);
  for (auto &entry : result->expression.CapturingGroupNames()) result->names[entry.first] = entry.second;
  return result;
}
extern "C" void icegate_re2_free(icegate_re2 *r) { delete r; }
extern "C" bool icegate_re2_search(const icegate_re2 *r, const char *text, size_t length) {
  return r->expression.Match(re2::StringPiece(text, length), 0, length, RE2::UNANCHORED, nullptr, 0);
}
extern "C" bool icegate_re2_full_match(const icegate_re2 *r, const char *text, size_t length) {
  return r->expression.Match(re2::StringPiece(text, length), 0, length, RE2::ANCHOR_BOTH, nullptr, 0);
}
extern "C" int icegate_re2_group_count(const icegate_re2 *r) { return r->expression.NumberOfCapturingGroups(); }
extern "C" bool icegate_re2_groups(const icegate_re2 *r, const char *text, size_t length, size_t start, int64_t *offsets, int pairs) {
  std::vector<re2::StringPiece> groups(pairs);
  if (!r->expression.Match(re2::StringPiece(text, length), start, length, RE2::UNANCHORED, groups.data(), pairs)) return false;
  for (int i = 0; i < pairs; i++) {
    if (groups[i].data() == nullptr) {
      offsets[2 * i] = offsets[2 * i + 1] = -1;
    } else {
      offsets[2 * i] = groups[i].data() - text;
      offsets[2 * i + 1] = offsets[2 * i] + (int64_t)groups[i].size();
    }
  }
  return true;
}
extern "C" const char *icegate_re2_group_name(const icegate_re2 *r, int index) {
  if (index < 1 || (size_t)index >= r->names.size() || r->names[index].empty()) return nullptr;
  return r->names[index].c_str();
}
